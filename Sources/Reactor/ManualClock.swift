/// A clock that stands still until it is moved, for a loop that a test turns by hand.
///
/// Belongs to its loop's thread (invariant 2).
package final class ManualClock {
  /// Nanoseconds since an arbitrary moment, as of CLOCK_MONOTONIC.
  package private(set) var monotonic: UInt64
  /// Milliseconds since 1970 UTC.
  package var unixMilliseconds: Int64 { unixStart + Int64(monotonic / 1_000_000) }
  private let unixStart: Int64

  /// A clock that shows `unixMilliseconds` at its start.
  package init(unixMilliseconds: Int64) {
    monotonic = 1_000_000_000
    unixStart = unixMilliseconds - 1_000
  }

  /// Moves on to a moment of `monotonic`; never back.
  package func advance(to moment: UInt64) { monotonic = max(monotonic, moment) }
}
