import Synchronization

/// When a loop last began a turn: what a liveness probe on any thread asks to know that the loop still turns.
package final class Heartbeat: Sendable {
  // Of a loop that has not begun, or has ended, there is nothing to fear: its last turn lies in the future.
  private let last = Atomic<UInt64>(.max)

  package init() {}

  func beat(_ now: UInt64) { last.store(now, ordering: .relaxed) }

  func end() { last.store(.max, ordering: .relaxed) }

  /// Nanoseconds from the beginning of the loop's last turn to `now`, a moment of the monotonic clock; 0 for a loop
  /// that does not run.
  package func age(at now: UInt64) -> UInt64 { now - min(now, last.load(ordering: .relaxed)) }
}
