/// A clock that stands still until it is moved, for a loop that a test turns by hand.
///
/// Belongs to its loop's thread (invariant 2).
package final class ManualClock {
  /// Nanoseconds since an arbitrary moment, as of CLOCK_MONOTONIC.
  package private(set) var monotonic: UInt64
  /// How far its calendar is ahead of `monotonic`, in nanoseconds.
  let calendarOffset: Int64
  /// Milliseconds since 1970 UTC.
  package var unixMilliseconds: Int64 { (Int64(monotonic) + calendarOffset) / 1_000_000 }

  /// A clock that shows `unixMilliseconds` at its start.
  package init(unixMilliseconds: Int64) {
    monotonic = 1_000_000_000
    calendarOffset = (unixMilliseconds - 1_000) * 1_000_000
  }

  /// Moves on to a moment of `monotonic`; never back.
  package func advance(to moment: UInt64) { monotonic = max(monotonic, moment) }
}
