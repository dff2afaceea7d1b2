import Postgres
import Reactor
import Synchronization

extension LiveServer {
  /// Sends `request` during a transaction that has done `before`, and returns its answer. Once the request waits for a
  /// lock of the transaction, or is answered all the same, `meanwhile` is done and the transaction is committed.
  func answer(
    to request: @escaping @Sendable () throws -> Reply, before: @escaping (Transaction) async throws -> Void,
    meanwhile: @escaping (Transaction) async throws -> Void = { _ in }
  ) throws -> Reply {
    let answer = Mutex<Result<Reply, any Error>?>(nil)
    let sending = try withDatabase { database in
      try await database.transaction { transaction in
        try await before(transaction)
        let sending = try SystemThread(name: "sending") {
          let result = Result { try request() }
          answer.withLock { $0 = result }
        }
        while answer.withLock({ $0 == nil }), try await !Self.isWaitedFor(transaction) {
          await database.loop.sleep(nanoseconds: 5_000_000)
        }
        try await meanwhile(transaction)
        return sending
      }
    }
    sending.join()
    return try answer.withLock { $0! }.get()
  }

  /// Whether a session waits for a lock of `transaction`.
  private static func isWaitedFor(_ transaction: Transaction) async throws -> Bool {
    let rows = try await transaction.query(
      "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
    return !rows.isEmpty
  }

  /// The number of requests in flight.
  func requestsInProgress() throws -> Int { try metric("active_connections") }
}
