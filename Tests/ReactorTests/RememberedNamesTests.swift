import Testing

@testable import Reactor

@Suite("Names that are looked up again")
struct RememberedNamesTests {
  /// A name service that returns `answer`; while that is nil, it never answers.
  private final class NameService {
    var answer: RememberedNames.Answer?
    var questions = 0

    init(_ answer: RememberedNames.Answer?) { self.answer = answer }

    func lookUp(_: [String], _: EventLoop, _ found: @escaping (RememberedNames.Answer) -> Void) {
      questions += 1
      if let answer { found(answer) }
    }
  }

  private static let gone = RememberedNames.Answer([.failure(NameResolver.Failure(description: "gone"))])

  private static func text(_ answer: RememberedNames.Answer) -> String {
    answer.map { (try? $0.get().joined(separator: ",")) ?? "nothing" }.joined(separator: " ")
  }

  @Test("keep their addresses while the name service fails, and take new ones once it is back")
  func failing() throws {
    let lines = try onLoop { loop, log in
      let service = NameService(Self.gone)
      let names = RememberedNames(["db"], on: loop, lookUp: service.lookUp)
      func ask() { names.resolve { log.note(Self.text($0)) } }
      ask()
      service.answer = [.success(["10.0.0.1"])]
      ask()
      service.answer = Self.gone
      ask()
      service.answer = [.success(["10.0.0.2"])]
      ask()
      loop.stop()
    }
    #expect(lines == ["nothing", "10.0.0.1", "10.0.0.1", "10.0.0.2"])
  }

  @Test("keep their addresses while the name service does not answer, and ask it one question at a time")
  func mute() throws {
    let lines = try onLoop { loop, log in
      let service = NameService([.success(["10.0.0.1"])])
      let names = RememberedNames(["db"], on: loop, lookUp: service.lookUp)
      names.resolve { log.note(Self.text($0)) }
      service.answer = nil
      names.resolve { answer in
        log.note("without an answer: \(Self.text(answer))")
        names.resolve {
          log.note("again: \(Self.text($0)), \(service.questions) questions"); loop.stop()
        }
      }
    }
    #expect(lines == ["10.0.0.1", "without an answer: 10.0.0.1", "again: 10.0.0.1, 2 questions"])
  }
}
