import Synchronization

/// Keeps what fails over and over from filling the log: says at most once in an interval that it is time for a line.
package final class LogInterval: Sendable {
  /// The time between two lines, in nanoseconds.
  package static let nanoseconds: UInt64 = 10_000_000_000

  private let next = Atomic<UInt64>(0)

  package init() {}

  /// Whether a line is due at that moment of the monotonic clock, which then begins the next interval. Any thread.
  package func isDue(at now: UInt64) -> Bool {
    let due = next.load(ordering: .relaxed)
    guard now >= due else { return false }
    return next.compareExchange(expected: due, desired: now + Self.nanoseconds, ordering: .relaxed).exchanged
  }
}
