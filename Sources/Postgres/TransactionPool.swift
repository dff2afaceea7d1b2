import Reactor

/// The connections that transactions borrow, and the tasks that wait for one.
struct TransactionPool {
  /// A task that waits for a connection.
  final class Waiter {
    var continuation: LoopContinuation<Void>?
    var result: Result<PostgresConnection, PostgresError>?
    /// Ends the wait.
    var timer: Timer?

    func settle(_ result: Result<PostgresConnection, PostgresError>) {
      guard self.result == nil else { return }
      self.result = result
      continuation.take()?.resume()
    }
  }

  var connections: [PostgresConnection] = []
  private var idle: [PostgresConnection] = []
  private var waiters = Ring<Waiter>()

  /// The number of tasks that still wait.
  var waiterCount: Int {
    mutating get {
      // Waiters whose time is over are in front, since all wait about equally long.
      while let first = waiters.first, first.result != nil { waiters.popFirst() }
      return waiters.count
    }
  }

  var isAnyReady: Bool { connections.contains(where: \.isReady) }

  /// Whether no connection is ready, and each of them was lost or has failed to connect.
  var areAllFailing: Bool { connections.allSatisfy { !$0.isReady && $0.isFailing } }

  func isLent(_ connection: PostgresConnection) -> Bool {
    connection.role == .transactions && connection.isReady && !idle.contains { $0 === connection }
  }

  /// Lends an idle connection: the one used last, which is warmest. Nil if there is none.
  mutating func borrow() -> PostgresConnection? { idle.popLast() }

  /// Opens one more connection, if one is still dormant.
  func open() { connections.first(where: \.isDormant)?.start() }

  mutating func wait(_ waiter: Waiter) { waiters.append(waiter) }

  /// Gives a free connection to the first task that still waits, or keeps it as idle.
  mutating func giveBack(_ connection: PostgresConnection) {
    while let waiter = waiters.popFirst() {
      if waiter.result == nil { return waiter.settle(.success(connection)) }
    }
    idle.append(connection)
  }

  /// Removes a connection that was lost; it comes back by `giveBack` when it is ready again.
  mutating func remove(_ connection: PostgresConnection) { idle.removeAll { $0 === connection } }

  mutating func failWaiters(_ error: PostgresError) {
    while let waiter = waiters.popFirst() { waiter.settle(.failure(error)) }
  }
}
