import Reactor
import Synchronization
import Values

/// The time of day that all replicas agree on: this machine's clock, or the database's where the two are clearly apart.
///
/// Ids, tokens, sessions and idempotency keys go by it, and so does what is too old or in the future. Logs and traces
/// keep the machine's own time, as all else that the machine writes does.
package final class AgreedClock: Sendable {
  /// How far this machine's clock may be from the database's and still be followed, in milliseconds.
  package static let toleranceMilliseconds: Int64 = 1_000

  private let correction = Atomic<Int64>(0)

  package init() {}

  /// What is added to this machine's clock, in milliseconds.
  package var correctionMilliseconds: Int64 { correction.load(ordering: .relaxed) }

  /// Converts `machine`, a time of this machine's clock in milliseconds since 1970.
  package func moment(_ machine: Int64) -> Timestamp {
    Timestamp(unixMilliseconds: machine + correctionMilliseconds)
  }

  /// Learns what the database's clock said at some moment between `start` and `end` of this machine's; returns whether
  /// that changed the correction. It changes only where it is wrong by more than the tolerance and half the time that
  /// asking took, so that time does not jump back and forth.
  package func learn(database: Timestamp, between start: Int64, and end: Int64) -> Bool {
    let uncertainty = abs(end - start) / 2
    let offset = database.unixMilliseconds - (start + (end - start) / 2)
    guard abs(offset - correctionMilliseconds) > Self.toleranceMilliseconds + uncertainty else { return false }
    correction.store(abs(offset) > Self.toleranceMilliseconds ? offset : 0, ordering: .relaxed)
    return true
  }
}
