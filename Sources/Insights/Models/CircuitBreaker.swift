import Synchronization

/// Spares a service that keeps failing, and the requests that would wait for it. All loops share one.
///
/// Closed, it admits every call. After `failureLimit` failures in a row it opens and admits none; `openNanoseconds`
/// later it admits one, to see whether the service is back.
package final class CircuitBreaker: Sendable {
  /// How many failures in a row open it.
  static let failureLimit = 5
  /// How long it stays open, in nanoseconds.
  static let openNanoseconds: UInt64 = 30_000_000_000

  private struct State {
    var failures = 0
    var openUntil: UInt64?
    var isTrying = false
  }

  private let state = Mutex(State())

  /// Whether a call may be made now; the caller then reports its outcome by `note`.
  func admits(at now: UInt64) -> Bool {
    state.withLock { state in
      guard let until = state.openUntil else { return true }
      guard now >= until, !state.isTrying else { return false }
      state.isTrying = true
      return true
    }
  }

  /// Notes the outcome of a call. Returns whether it opened the circuit.
  @discardableResult
  func note(isSuccess: Bool, at now: UInt64) -> Bool {
    state.withLock { state in
      if isSuccess {
        state = State()
        return false
      }
      state.failures += 1
      state.isTrying = false
      guard state.failures >= Self.failureLimit else { return false }
      state.openUntil = now + Self.openNanoseconds
      return true
    }
  }
}
