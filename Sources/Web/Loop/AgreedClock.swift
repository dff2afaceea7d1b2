import Reactor
import Synchronization
import Values

/// The time of day that all replicas agree on: this machine's clock, or the database's where the two are clearly apart.
///
/// Ids, tokens, sessions, idempotency keys, what is too old and what is in the future are judged by it. Logs and traces
/// keep the machine's own time, as all else that the machine writes does.
package final class AgreedClock: Sendable {
  /// How far this machine's clock may be from the database's and still be followed, in milliseconds.
  package static let toleranceMilliseconds: Int64 = 1_000

  private let correction = Atomic<Int64>(0)

  package init() {}

  /// What is added to this machine's clock, in milliseconds.
  package var correctionMilliseconds: Int64 { correction.load(ordering: .relaxed) }

  /// The moment that is meant when this machine's clock says `machine`, in milliseconds since 1970.
  package func moment(_ machine: Int64) -> Timestamp {
    Timestamp(unixMilliseconds: machine + correctionMilliseconds)
  }

  /// Learns what the database's clock said at some moment between two of this machine's; gives whether that changed the
  /// correction. It changes only by more than what is tolerated and what the time of asking explains, so that time does
  /// not jump back and forth.
  package func learn(database: Timestamp, between start: Int64, and end: Int64) -> Bool {
    let uncertainty = abs(end - start) / 2
    let offset = database.unixMilliseconds - (start + (end - start) / 2)
    guard abs(offset - correctionMilliseconds) > Self.toleranceMilliseconds + uncertainty else { return false }
    correction.store(abs(offset) > Self.toleranceMilliseconds ? offset : 0, ordering: .relaxed)
    return true
  }
}
