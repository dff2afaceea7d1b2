import Postgres

/// Something that is kept for a time only: deletes at most so many rows whose time is over, and gives how many it did.
package struct Expiry {
  /// The most rows that one statement deletes, so that none holds others up for long.
  static let batchRows = 5_000

  let delete: (_ transaction: Transaction, _ rows: Int) async throws -> Int

  package init(_ delete: @escaping (_ transaction: Transaction, _ rows: Int) async throws -> Int) {
    self.delete = delete
  }
}

extension Duty {
  /// Deletes what has expired, a bounded number of rows at a time.
  package static func expiry(_ expiries: [Expiry]) -> Duty {
    Duty(name: "expiry", intervalSeconds: 600, timeoutMilliseconds: 60_000) { transaction in
      var hasMore = false
      for expiry in expiries where try await expiry.delete(transaction, Expiry.batchRows) == Expiry.batchRows {
        hasMore = true
      }
      return hasMore
    }
  }
}
