import Reactor
import TestSupport
import Testing
import Values

@testable import Notifications

@Suite("Looking up the addresses of channels", .blocking)
struct TargetLookupsTests {
  /// A name service that answers when `answer` is called; for one loop.
  private final class NameService: @unchecked Sendable {
    private var asked: [(RememberedNames.Answer) -> Void] = []
    private(set) var questions = 0

    func lookUp(_: [String], _: EventLoop, _ found: @escaping (RememberedNames.Answer) -> Void) {
      questions += 1
      asked.append(found)
    }

    /// Answers the oldest open question.
    func answer(_ addresses: [String]) { asked.removeFirst()([.success(addresses)]) }
  }

  @Test("has a limited number of open questions per user and in all, each until it is answered, even if nobody waits")
  func bounds() throws {
    let questions = try onLoop { loop in
      let service = NameService()
      let lookups = TargetLookups(lookUp: service.lookUp)
      let users = (0..<20).map { _ in Identifier.make(unixMilliseconds: 1) }
      func ask(_ user: Identifier) {
        loop.spawn { _ = try? await lookups.addresses(of: "hooks.example.org", for: user, on: loop) }
      }
      var questions: [Int] = []
      for _ in 1..<TargetLookups.maximumOfUser { ask(users[0]) }
      // No answer comes before the time-out, and then no caller waits any more.
      let given = try await lookups.addresses(of: "hooks.example.org", for: users[0], on: loop)
      ask(users[0])
      questions += [given.count, service.questions]
      for user in users[1...] { ask(user) }
      questions.append(service.questions)
      service.answer(["203.0.113.7"])
      for _ in 0..<2 { ask(users[0]) }
      questions.append(service.questions)
      return questions
    }
    let (one, all) = (TargetLookups.maximumOfUser, TargetLookups.maximum)
    #expect(questions == [0, one, all, all + 1])
  }

  @Test("returns an address at once, and a name's once found, however many other questions stay unanswered")
  func answers() throws {
    let (address, found) = try onLoop { loop in
      let service = NameService()
      let lookups = TargetLookups(lookUp: service.lookUp)
      let users = (0..<TargetLookups.maximum).map { _ in Identifier.make(unixMilliseconds: 1) }
      var found: [String]?
      for user in users {
        loop.spawn {
          let addresses = try? await lookups.addresses(of: "hooks.example.org", for: user, on: loop)
          if user == users[0] { found = addresses }
        }
      }
      let address = try await lookups.addresses(of: "127.1", for: users[0], on: loop)
      service.answer(["203.0.113.7"])
      while found == nil { await loop.sleep(nanoseconds: 1_000_000) }
      return (address, found)
    }
    #expect(address == ["127.0.0.1"] && found == ["203.0.113.7"])
  }
}
