import Synchronization

/// When a loop last began a turn: what a liveness probe on any thread asks to know that the loop still turns.
package final class Heartbeat: Sendable {
  private let last = Atomic<UInt64>(Clock.monotonic())

  func beat(_ now: UInt64) { last.store(now, ordering: .relaxed) }

  /// Nanoseconds since the loop last began a turn.
  package var ageNanoseconds: UInt64 {
    let now = Clock.monotonic()
    return now - min(now, last.load(ordering: .relaxed))
  }
}
