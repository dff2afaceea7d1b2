import Reactor

extension Database {
  /// The pause before a transaction that lost against others is retried, in milliseconds.
  private static let retryPauseMilliseconds: ClosedRange<UInt64> = 2...20

  /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
  ///
  /// A transaction that loses against others (40001, 40P01) is retried, up to `transactionAttempts` times in all, so
  /// `body` may run more than once, unless `attempts` says that it cannot. `timeoutMilliseconds` replaces the usual
  /// statement timeout; 0 is none. Throws what `body` throws, and `PostgresError`; `.overloaded` when no connection
  /// becomes free in time. Do not open a transaction within another one: each waits for a connection of its own.
  @discardableResult
  package func transaction<Value>(
    _ isolation: Isolation = .readCommitted, readOnly isReadOnly: Bool = false, timeoutMilliseconds: Int? = nil,
    attempts: Int? = nil, _ body: (Transaction) async throws -> Value
  ) async throws -> Value {
    let attempts = attempts ?? configuration.transactionAttempts
    var attempt = 1
    while true {
      let connection = try await borrowConnection()
      let transaction = Transaction(
        self, connection, isolation, isReadOnly: isReadOnly, timeoutMilliseconds: timeoutMilliseconds)
      do {
        let value = try await body(transaction)
        try await transaction.commit()
        giveBack(connection, from: transaction)
        return value
      } catch {
        await transaction.rollback()
        let failure = error as? PostgresError
        if let failure, failure.isReadOnly, !isReadOnly {
          // The primary has become a standby: connecting again finds the new one.
          connection.lose(failure)
          throw PostgresError(.unavailable, failure.message)
        }
        giveBack(connection, from: transaction)
        guard let failure, failure.mayRetryTransaction, attempt < attempts else { throw error }
      }
      attempt += 1
      await loop.sleep(nanoseconds: UInt64.random(in: Self.retryPauseMilliseconds, using: &loop.generator) * 1_000_000)
    }
  }

  // MARK: Connections

  private func borrowConnection() async throws(PostgresError) -> PostgresConnection {
    if let connection = transactions.borrow() { return connection }
    if (!readers.isEmpty && !isUsable) || transactions.areAllFailing {
      throw PostgresError(.unavailable, "no connection to the database")
    }
    guard transactions.waiterCount < configuration.transactionQueueLength else {
      throw PostgresError(.overloaded, "\(configuration.transactionQueueLength) transactions wait for a connection")
    }
    transactions.open()
    let waiter = TransactionPool.Waiter()
    await withLoopContinuation { continuation in
      waiter.continuation = continuation
      transactions.wait(waiter)
      limit(waiter)
    }
    if let timer = waiter.timer { loop.cancel(timer) }
    guard let result = waiter.result else { fatalError("a waiter was resumed without a result") }
    return try result.get()
  }

  /// Refuses a waiter if no connection becomes free in time. The time does not count while no connection is ready:
  /// connecting has its own timeouts, and if it fails, so does the waiter.
  private func limit(_ waiter: TransactionPool.Waiter) {
    waiter.timer = loop.schedule(afterNanoseconds: UInt64(configuration.transactionWaitMilliseconds) * 1_000_000) {
      guard self.transactions.isAnyReady else { return self.limit(waiter) }
      waiter.settle(.failure(PostgresError(.overloaded, "no transaction connection became free in time")))
    }
  }

  /// Returns a connection to the pool. One that was lost returns by itself once it is ready again, and may have done so
  /// already.
  private func giveBack(_ connection: PostgresConnection, from transaction: Transaction) {
    if !transaction.isLost { transactions.giveBack(connection) }
  }
}
