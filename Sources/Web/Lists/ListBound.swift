import Postgres
import Values

/// The most rows that a list may have.
///
/// Check it after the INSERT, in the same transaction, while holding the lock that keeps others from adding to this
/// list: then the new rows are counted, and no two transactions can pass the bound together.
package struct ListBound: Sendable {
  private let excess: Statement
  private let advice: String

  /// Bounds `list`, a table and a condition on `$1`, in an order that an index has: no more rows are read than the
  /// bound has. `advice` is the detail of the problem for a client beyond it.
  package init(_ name: String, of list: String, atMost maximum: Int, _ advice: String) {
    excess = Statement(name, "SELECT FROM \(list) OFFSET \(maximum) LIMIT 1")
    self.advice = advice
  }

  /// Throws 409 when the list of `whose`, an owner, garden or business, has more rows.
  package func check(of whose: Identifier, in transaction: Transaction) async throws {
    guard try await transaction.query(excess, whose).isEmpty else { throw Problem(.conflict, advice) }
  }
}
