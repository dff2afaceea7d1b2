import Synchronization
import Values

/// The time of day that all replicas agree on: this machine's clock, or the database's where the two are clearly apart.
///
/// Each check of the database learns how far that time is ahead of CLOCK_BOOTTIME, from which it is reckoned until the
/// next check: a step of the machine's clock changes nothing in between. Before the first check the machine's clock
/// counts.
///
/// Ids, tokens, sessions and idempotency keys go by it, and so does what is too old or in the future. Logs and traces
/// keep the machine's own time, as all else that the machine writes does.
package final class AgreedClock: Sendable {
  /// How far this machine's clock may be from the database's and still be followed, in milliseconds.
  package static let toleranceMilliseconds: Int64 = 1_000
  /// How near it has to come to be followed again, in milliseconds: less, so that time does not jump back and forth.
  static let nearMilliseconds: Int64 = 500

  private static let unknown = Int64.min
  private static let nanosecondsPerMillisecond: Int64 = 1_000_000

  /// How far the agreed time is ahead of CLOCK_BOOTTIME, in nanoseconds; `unknown` before the first check.
  private let offset = Atomic<Int64>(AgreedClock.unknown)
  /// How far it is ahead of this machine's calendar clock, in nanoseconds; 0 while that is followed.
  private let correction = Atomic<Int64>(0)

  package init() {}

  /// What had to be added to this machine's clock at the last check, in milliseconds; 0 while that is followed.
  package var correctionMilliseconds: Int64 { correction.load(ordering: .relaxed) / Self.nanosecondsPerMillisecond }

  /// Returns the agreed time at `boot`, a reading of CLOCK_BOOTTIME in nanoseconds; `calendarOffset` is how far this
  /// machine's calendar clock is ahead of that, in nanoseconds.
  package func moment(at boot: UInt64, calendarOffset: Int64) -> Timestamp {
    let known = offset.load(ordering: .relaxed)
    let nanoseconds = Int64(boot) + (known == Self.unknown ? calendarOffset : known)
    return Timestamp(unixMilliseconds: nanoseconds / Self.nanosecondsPerMillisecond)
  }

  /// Learns what the database's clock said at some moment between `start` and `end`, readings of CLOCK_BOOTTIME in
  /// nanoseconds; `calendarOffset` is as for `moment`. Returns whether the machine's clock was found apart, or near
  /// again. Call it on one thread only.
  ///
  /// Where the machine's clock is not followed, the agreed time changes only if it is wrong by more than the tolerance
  /// and half the time that asking took.
  package func learn(database: Timestamp, between start: UInt64, and end: UInt64, calendarOffset: Int64) -> Bool {
    let middle = Int64(start + (end - start) / 2)
    let tolerance = Self.toleranceMilliseconds * Self.nanosecondsPerMillisecond + Int64(end - start) / 2
    let measured = database.unixMilliseconds * Self.nanosecondsPerMillisecond - middle
    let before = (offset: offset.load(ordering: .relaxed), correction: correction.load(ordering: .relaxed))

    let limit = before.correction == 0 ? tolerance : Self.nearMilliseconds * Self.nanosecondsPerMillisecond
    if abs(measured - calendarOffset) <= limit {
      offset.store(calendarOffset, ordering: .relaxed)
      correction.store(0, ordering: .relaxed)
      return before.correction != 0
    }
    let known = before.offset == Self.unknown ? calendarOffset : before.offset
    let agreed = abs(measured - known) > tolerance ? measured : known
    offset.store(agreed, ordering: .relaxed)
    correction.store(agreed - calendarOffset, ordering: .relaxed)
    return abs(agreed - calendarOffset - before.correction) > tolerance
  }
}
