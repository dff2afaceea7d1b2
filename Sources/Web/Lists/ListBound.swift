import Postgres
import Values

/// The most rows that a list may have.
///
/// Whoever adds one asks afterwards, in the same transaction, and holds by then what keeps others from adding to the
/// list: so those are counted that are new, and nobody adds beyond the bound beside them.
package struct ListBound: Sendable {
  private let excess: Statement
  private let advice: String

  /// The rows of `list` are those of a table and of a condition on `$1`, in an order that an index has: no more of them
  /// are read than the bound has. `advice` is what clients are told who are beyond it.
  package init(_ name: String, of list: String, atMost maximum: Int, _ advice: String) {
    excess = Statement(name, "SELECT FROM \(list) OFFSET \(maximum) LIMIT 1")
    self.advice = advice
  }

  /// Throws 409 when the list of that owner, garden or business has more rows.
  package func check(of whose: Identifier, in transaction: Transaction) async throws {
    guard try await transaction.query(excess, whose).isEmpty else { throw Problem(.conflict, advice) }
  }
}
