import Testing

@testable import Reactor

@Suite("Looking up names")
struct NameResolverTests {
  /// The answers for `hosts`, with "goes on" after them if they came within the call, and before them otherwise.
  private func resolve(_ hosts: [String]) throws -> [String] {
    try onLoop { loop, log in
      NameResolver.resolve(hosts, on: loop) { answers in
        for answer in answers {
          switch answer {
          case .success(let addresses): for address in addresses { log.note(address) }
          case .failure(let failure): log.note("\(failure)")
          }
        }
        log.note("on the loop: \(loop.executor.isCurrent)")
        loop.stop()
      }
      log.note("goes on")
    }
  }

  @Test("answers numeric hosts within the call")
  func numeric() throws {
    #expect(try resolve(["127.0.0.1", "::1"]) == ["127.0.0.1", "::1", "on the loop: true", "goes on"])
  }

  @Test("answers names later, on the loop, each in its place")
  func names() throws {
    let lines = try resolve(["127.0.0.9", "localhost", "no-such-host.invalid"])
    #expect(lines.first == "goes on" && lines.dropFirst().first == "127.0.0.9")
    #expect(lines.contains("127.0.0.1") || lines.contains("::1"))
    #expect(lines.dropLast().last?.hasPrefix("host no-such-host.invalid: ") == true)
    #expect(lines.last == "on the loop: true")
  }
}
