import HTTP
import Testing

@testable import Secrets
@testable import Web

@Suite("A bound that was reached")
struct LimitTests {
  @Test("is explained in the runbook, by its name in the log and the metrics", arguments: Limit.allCases)
  func runbook(_ limit: Limit) throws {
    #expect(try Repository.text(of: "docs/runbook.md").contains("\n| `\(limit.rawValue)` | "))
  }

  @Test("can be told from the others")
  func details() {
    #expect(Set(Limit.allCases.map(\.detail)).count == Limit.allCases.count)
    for overload in Overload.allCases {
      #expect(Problem(Refusal.overloaded(overload)).limit?.rawValue == overload.rawValue)
    }
    #expect(Problem(PasswordPoolError.overloaded).limit == .passwords)
  }
}
