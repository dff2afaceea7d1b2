import Postgres

/// Rows of a table that are kept for a time only.
package struct Expiry: Sendable {
  /// The most rows that one statement deletes, so that none holds others up for long.
  static let batchRows = 5_000

  private let name: StaticString
  private let deletion: Statement
  private var days: Int?

  /// The rows of `table` that `condition` says have expired; those first in `order` are deleted first. `name` is unlike
  /// that of any other duty. `$2` in the condition is the number of days that `after(days:)` sets.
  package init(_ name: StaticString, from table: String, where condition: String, orderBy order: String? = nil) {
    self.name = name
    deletion = Self.deletion("\(name)", from: table, where: condition, orderBy: order)
  }

  /// Returns this expiry for rows that are kept for `days` days.
  package func after(days: Int) -> Expiry {
    var expiry = self
    expiry.days = days
    return expiry
  }

  /// Deletes at most `rows` expired rows, and returns how many it deleted.
  func delete(_ transaction: Transaction, rows: Int) async throws -> Int {
    guard let days else { return try await transaction.execute(deletion, rows) }
    return try await transaction.execute(deletion, rows, days)
  }

  /// Deletes what has expired, every ten minutes.
  package var duty: Duty { Duty(name: name, intervalSeconds: 600) { try await delete($0, rows: $1) } }

  /// Returns the statement that deletes at most `$1` rows of a table.
  ///
  /// It deletes them by `ctid`: where rows are found again by their keys, a plan for any number of them reads the whole
  /// table for each batch.
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
  /// Has `delete` remove a bounded number of rows at a time, for as long as it returns that there may be more. Each
  /// kind of row has a duty of its own, so that one that fails stops no other.
  package init(
    name: StaticString, intervalSeconds: UInt64,
    deleting delete: @escaping (_ transaction: Transaction, _ rows: Int) async throws -> Int
  ) {
    self.init(name: name, intervalSeconds: intervalSeconds, timeoutMilliseconds: 60_000) { transaction in
      try await delete(transaction, Expiry.batchRows) == Expiry.batchRows
    }
  }
}
