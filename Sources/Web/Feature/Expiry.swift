import Postgres

/// Something that is kept for a time only: deletes at most so many rows whose time is over, and gives how many it did.
///
/// By their places: where rows are found again by their keys, a plan for any number of them reads the whole table for
/// each batch.
package struct Expiry {
  /// The most rows that one statement deletes, so that none holds others up for long.
  static let batchRows = 5_000

  let name: StaticString
  let intervalSeconds: UInt64
  let delete: (_ transaction: Transaction, _ rows: Int) async throws -> Int

  /// By a name that no other duty has, every ten minutes unless told otherwise.
  package init(
    name: StaticString, intervalSeconds: UInt64 = 600,
    _ delete: @escaping (_ transaction: Transaction, _ rows: Int) async throws -> Int
  ) {
    self.name = name
    self.intervalSeconds = intervalSeconds
    self.delete = delete
  }

  /// Deletes what has expired, a bounded number of rows at a time: a duty of its own, so that one that fails keeps
  /// nothing else from going.
  package var duty: Duty {
    Duty(name: name, intervalSeconds: intervalSeconds, timeoutMilliseconds: 60_000) { transaction in
      try await delete(transaction, Self.batchRows) == Self.batchRows
    }
  }
}
