/// The state machine of one connection. Pure: it returns what to do, and `PostgresConnection` does it.
struct Lifecycle {
  enum State: Equatable {
    /// Not started yet.
    case dormant
    case resolving
    case connecting
    case ready
    /// Pausing before the next attempt.
    case pausing
    case closed
  }

  enum Event {
    case start
    case resolved
    case connected
    /// The attempt failed.
    case failed
    /// The attempt took too long.
    case timedOut
    /// A connection that was ready is gone.
    case lost
    case pauseOver
    case close
  }

  enum Action: Equatable {
    case none
    case resolve
    /// Disconnect, and send `pauseOver` after this many nanoseconds.
    case pause(UInt64)
    case release
  }

  private(set) var state = State.dormant
  /// Losses and failed attempts since the connection was last ready.
  private(set) var failures = 0
  /// By how many hosts the next attempt rotates the list: one for each attempt that timed out, where a host did not
  /// even refuse.
  private(set) var rotation = 0

  private let shortestNanoseconds: UInt64
  private let longestNanoseconds: UInt64

  init(shortestPauseMilliseconds: Int, longestPauseMilliseconds: Int) {
    shortestNanoseconds = UInt64(shortestPauseMilliseconds) * 1_000_000
    longestNanoseconds = UInt64(longestPauseMilliseconds) * 1_000_000
  }

  /// Takes an event and returns what to do. `chance` is a random number within 0..<1, by which pauses differ between
  /// connections.
  mutating func on(_ event: Event, chance: Double) -> Action {
    switch (event, state) {
    case (_, .closed):
      return .none
    case (.close, _):
      state = .closed
      return .release
    case (.start, .dormant), (.pauseOver, .pausing):
      state = .resolving
      return .resolve
    case (.resolved, .resolving):
      state = .connecting
      return .none
    case (.connected, .connecting):
      state = .ready
      failures = 0
      return .none
    case (.failed, .resolving), (.failed, .connecting):
      return pause(chance)
    case (.timedOut, .resolving), (.timedOut, .connecting):
      rotation += 1
      return pause(chance)
    case (.lost, .ready):
      return pause(chance)
    default:
      // An event that came too late for its state changes nothing.
      return .none
    }
  }

  private mutating func pause(_ chance: Double) -> Action {
    state = .pausing
    let doubled = shortestNanoseconds << UInt64(min(failures, 10))
    failures += 1
    let whole = min(doubled, longestNanoseconds)
    return .pause(whole / 2 + UInt64(Double(whole / 2) * chance))
  }
}
