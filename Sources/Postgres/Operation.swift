import Reactor

/// One execution: what is sent, who waits for it and what came of it. Reused.
final class Operation {
  /// The most resends of one operation: one for an aborted sync or a lost connection, one for a stale statement.
  static let maximumResends = 2

  enum Kind {
    /// Changes nothing: may share a sync, and may be sent again.
    case read
    /// Stands alone between two syncs and is done only when the second one is answered, for that is the commit.
    case write
    /// Part of an open transaction, and so not committed whatever happens.
    case transactional
    /// Ends a transaction.
    case commit
    /// Several statements as text, outside pipeline mode.
    case script
  }

  enum Outcome {
    case pending
    case rows(Rows)
    case failure(PostgresError)
  }

  var kind: Kind = .read
  var name = ""
  /// What is executed: this, or `text` when it is nil.
  @exclusivity(unchecked) var statement: Statement?
  var text = ""
  /// The version of `statement` that was executed.
  @exclusivity(unchecked) var version: UInt32 = 0
  @exclusivity(unchecked) var parameters = ParameterBuffer()
  /// Whether a read has to go between syncs of its own, because a shared one was aborted.
  @exclusivity(unchecked) var isIsolated = false
  /// How many times it was resent.
  @exclusivity(unchecked) var resends = 0
  @exclusivity(unchecked) var timeoutNanoseconds: UInt64 = 0
  /// When its waiter gives up, in nanoseconds of the monotonic clock.
  @exclusivity(unchecked) var deadline = UInt64.max
  /// The rows that the server returned, held until their segment has succeeded.
  @exclusivity(unchecked) var held: Rows?
  @exclusivity(unchecked) private(set) var outcome = Outcome.pending
  /// Whether a connection still expects the server's answer.
  @exclusivity(unchecked) var isInFlight = false
  /// Whether the caller is done with it.
  @exclusivity(unchecked) var isReleased = false
  @exclusivity(unchecked) var continuation: LoopContinuation<Void>?
  /// Called at once when it is settled, in the place of a task.
  @exclusivity(unchecked) var receiver: ((Operation) -> Void)?

  /// Whether it has its outcome, so that no task waits for it any more.
  var isSettled: Bool {
    if case .pending = outcome { return false }
    return true
  }

  /// The error for an operation that the server has not answered.
  func unanswered(_ kind: PostgresError.Kind, _ message: String) -> PostgresError {
    let mayHaveHappened = self.kind != .read && self.kind != .transactional
    return PostgresError(kind, message, outcomeIsUnknown: mayHaveHappened)
  }

  /// Sets the outcome and resumes the waiter; the first outcome counts.
  func settle(_ outcome: Outcome) {
    guard !isSettled else { return }
    self.outcome = outcome
    held = nil
    continuation.take()?.resume()
    // Last: it may already send what comes next.
    receiver.take()?(self)
  }

  /// Resets it for reuse.
  func reset() {
    kind = .read
    statement = nil
    text = ""
    parameters.removeAll()
    isIsolated = false
    resends = 0
    deadline = .max
    held = nil
    outcome = .pending
    isInFlight = false
    isReleased = false
  }
}
