import Postgres

/// Rows of a table that are kept for a time only.
package struct Expiry: Sendable {
  /// The most rows that one statement deletes, so that none holds others up for long.
  static let batchRows = 5_000

  private let name: StaticString
  private let deletion: Statement
  private var days: Int?

  /// The rows whose time is over by a condition, those first that come first in an order; by a name that no other duty
  /// has. `$2` in the condition is what `after(days:)` says.
  package init(_ name: StaticString, from table: String, where condition: String, orderBy order: String? = nil) {
    self.name = name
    deletion = Self.deletion("\(name)", from: table, where: condition, orderBy: order)
  }

  /// The same after so many days.
  package func after(days: Int) -> Expiry {
    var expiry = self
    expiry.days = days
    return expiry
  }

  /// Deletes at most so many rows whose time is over, and gives how many it did.
  func delete(_ transaction: Transaction, rows: Int) async throws -> Int {
    guard let days else { return try await transaction.execute(deletion, rows) }
    return try await transaction.execute(deletion, rows, days)
  }

  /// Deletes what has expired, every ten minutes.
  package var duty: Duty { Duty(name: name, intervalSeconds: 600) { try await delete($0, rows: $1) } }

  /// The statement that deletes at most `$1` rows of a table.
  ///
  /// By their places: where rows are found again by their keys, a plan for any number of them reads the whole table for
  /// each batch.
  package static func deletion(
    _ name: String, from table: String, where condition: String, orderBy order: String? = nil
  ) -> Statement {
    Statement(
      name,
      """
      DELETE FROM \(table) WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM \(table) WHERE \(condition) \(order.map { "ORDER BY \($0) " } ?? "")LIMIT $1))
      """)
  }
}

extension Duty {
  /// Has a bounded number of rows deleted at a time, by what gives how many it did, for as long as there are more. Each
  /// has a duty of its own, so that one that fails keeps nothing else from going.
  package init(
    name: StaticString, intervalSeconds: UInt64,
    deleting delete: @escaping (_ transaction: Transaction, _ rows: Int) async throws -> Int
  ) {
    self.init(name: name, intervalSeconds: intervalSeconds, timeoutMilliseconds: 60_000) { transaction in
      try await delete(transaction, Expiry.batchRows) == Expiry.batchRows
    }
  }
}
