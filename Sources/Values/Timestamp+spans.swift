extension Timestamp {
  package static let millisecondsPerHour: Int64 = 3_600_000
  /// Of a day in UTC; where people live some days have an hour more or less.
  package static let millisecondsPerDay: Int64 = 24 * millisecondsPerHour

  /// The hours from this moment to another; negative when that was before.
  package func hours(until other: Timestamp) -> Double {
    Double(other.unixMilliseconds - unixMilliseconds) / Double(Self.millisecondsPerHour)
  }

  /// The moment `hours` later (or earlier, when negative), to the millisecond.
  package func advanced(byHours hours: Double) -> Timestamp {
    advanced(byMilliseconds: Int64((hours * Double(Self.millisecondsPerHour)).rounded()))
  }

  /// The moment `days` times 24 hours later (or earlier, when negative).
  package func advanced(byDays days: Int64) -> Timestamp {
    advanced(byMilliseconds: days * Self.millisecondsPerDay)
  }

  /// The last moment, not after this one, that is a multiple of `milliseconds` from the beginning of 1970.
  package func roundedDown(to milliseconds: Int64) -> Timestamp {
    Timestamp(unixMilliseconds: unixMilliseconds.floorDivided(by: milliseconds) * milliseconds)
  }
}
