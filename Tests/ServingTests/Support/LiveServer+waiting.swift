import Postgres
import Reactor
import Synchronization

extension LiveServer {
  /// Has a request sent while a transaction is open that has done `before`. It is committed once the request waits for
  /// it, or is answered all the same, and `meanwhile` is done. Gives the answer.
  func answer(
    to request: @escaping @Sendable () throws -> Reply, before: @escaping (Transaction) async throws -> Void,
    meanwhile: @escaping () throws -> Void = {}
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
        try meanwhile()
        return sending
      }
    }
    sending.join()
    return try answer.withLock { $0! }.get()
  }

  /// Whether somebody waits for what a transaction holds.
  private static func isWaitedFor(_ transaction: Transaction) async throws -> Bool {
    let rows = try await transaction.query(
      "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
    return !rows.isEmpty
  }

  /// How many requests are being answered.
  func requestsInProgress() throws -> Int { try metric("active_connections") }
}
