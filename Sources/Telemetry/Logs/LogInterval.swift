import Synchronization

/// Keeps a repeated failure from filling the log: a line is due at most once in an interval.
package final class LogInterval: Sendable {
  /// The time between two lines, in nanoseconds.
  package static let nanoseconds: UInt64 = 10_000_000_000

  private let next = Atomic<UInt64>(0)

  package init() {}

  /// Whether a line is due at `now`, in nanoseconds of the monotonic clock; if so, the next interval begins. For any
  /// thread.
  package func isDue(at now: UInt64) -> Bool {
    let due = next.load(ordering: .relaxed)
    guard now >= due else { return false }
    return next.compareExchange(expected: due, desired: now + Self.nanoseconds, ordering: .relaxed).exchanged
  }
}
