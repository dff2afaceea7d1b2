import HTTP
import Testing

@testable import Secrets
@testable import Settings
@testable import Web

@Suite("A bound that was reached")
struct LimitTests {
  @Test("is explained in the runbook, by the name that the log and the metrics have for it", arguments: Limit.allCases)
  func runbook(_ limit: Limit) throws {
    let path = String(#filePath.dropLast("Tests/ServingTests/Serving/LimitTests.swift".count)) + "docs/runbook.md"
    let text = String(decoding: try #require(File.read(path, maximumBytes: 1 << 20)), as: UTF8.self)
    #expect(text.contains("\n| `\(limit.rawValue)` | "))
  }

  @Test("is told apart from the others")
  func details() {
    #expect(Set(Limit.allCases.map(\.detail)).count == Limit.allCases.count)
    for overload in Overload.allCases {
      #expect(Problem(Refusal.overloaded(overload)).limit?.rawValue == overload.rawValue)
    }
    #expect(Problem(PasswordPoolError.overloaded).limit == .passwords)
  }
}
