import Glibc

/// The machine's clocks. A loop reads them once per turn; what runs in a turn uses the loop's reading.
package enum Clock {
  /// Nanoseconds of CLOCK_MONOTONIC: for durations, never for dates.
  package static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }

  /// Milliseconds of CLOCK_MONOTONIC, for the deadlines of threads that block.
  package static func monotonicMilliseconds() -> Int { Int(monotonic() / 1_000_000) }

  /// Nanoseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps: for dates that are reckoned from another
  /// one, so that steps of the calendar clock do not change them.
  package static func boot() -> UInt64 { read(CLOCK_BOOTTIME) }

  /// Milliseconds since 1970-01-01T00:00:00Z by CLOCK_REALTIME.
  package static func unixMilliseconds() -> Int64 { Int64(read(CLOCK_REALTIME) / 1_000_000) }

  /// Nanoseconds since 1970-01-01T00:00:00Z by CLOCK_REALTIME.
  package static func unixNanoseconds() -> UInt64 { read(CLOCK_REALTIME) }

  /// How far CLOCK_REALTIME is ahead of CLOCK_BOOTTIME, in nanoseconds.
  package static func calendarOffset() -> Int64 {
    let boot = Int64(boot())
    return Int64(unixNanoseconds()) - boot
  }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
