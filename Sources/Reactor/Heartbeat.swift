import Glibc
import Synchronization

/// The last time a loop began a turn, by which a liveness probe on any thread can tell that the loop still turns.
package final class Heartbeat: Sendable {
  // The start of the last turn; in the future for a loop that has not begun or has ended, which so never counts as
  // hung.
  private let last = Atomic<UInt64>(.max)

  private let thread = Atomic<UInt>(0)

  package init() {}

  /// The loop's thread; nil before it has begun.
  var owner: pthread_t? {
    let thread = thread.load(ordering: .relaxed)
    return thread == 0 ? nil : pthread_t(thread)
  }

  /// When the last turn began, in nanoseconds of the monotonic clock; `UInt64.max` for a loop that does not run.
  var lastBeat: UInt64 { last.load(ordering: .relaxed) }

  /// Notes that the loop begins, on the calling thread.
  func begin() { thread.store(UInt(pthread_self()), ordering: .relaxed) }

  func beat(_ now: UInt64) { last.store(now, ordering: .relaxed) }

  func end() { last.store(.max, ordering: .relaxed) }

  /// Nanoseconds from the beginning of the loop's last turn to `now`, a moment of the monotonic clock; 0 for a loop
  /// that does not run.
  package func age(at now: UInt64) -> UInt64 { now - min(now, lastBeat) }
}
