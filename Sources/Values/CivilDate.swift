/// A day of the proleptic Gregorian calendar.
///
/// The conversions are Howard Hinnant's (chrono-Compatible Low-Level Date Algorithms): eras of 400 years that begin
/// on 1 March, so that a leap day ends its year.
package struct CivilDate: Hashable, Sendable, Comparable {
  /// Days since 1970-01-01; negative before.
  package let daysSinceEpoch: Int64

  package init(daysSinceEpoch: Int64) { self.daysSinceEpoch = daysSinceEpoch }

  /// The day on which a moment falls in UTC.
  package init(_ timestamp: Timestamp) {
    self.init(daysSinceEpoch: timestamp.unixMilliseconds.floorDivided(by: Timestamp.millisecondsPerDay))
  }

  /// Makes the day of a date; nil when the month has no such day, or the year is not within 0…9999.
  package init?(year: Int64, month: Int64, day: Int64) {
    guard (0...9_999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard day <= lengths[Int(month) - 1] else { return nil }
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted.floorDivided(by: 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    self.init(daysSinceEpoch: era * 146_097 + dayOfEra - 719_468)
  }

  /// Year, month 1…12 and day 1…31.
  package var components: (year: Int64, month: Int64, day: Int64) {
    let shifted = daysSinceEpoch + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  /// The midnight UTC with which the day begins.
  package var start: Timestamp { Timestamp(unixMilliseconds: daysSinceEpoch * Timestamp.millisecondsPerDay) }

  /// Returns the day `days` later, or earlier when negative.
  package func advanced(byDays days: Int64) -> CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch + days) }

  package static func < (left: CivilDate, right: CivilDate) -> Bool { left.daysSinceEpoch < right.daysSinceEpoch }

  /// The length of the text form in bytes.
  package static let textLength = 10
}

extension CivilDate: CustomStringConvertible {
  /// `YYYY-MM-DD`.
  package var description: String { String(upTo: Self.textLength) { $0.append(self) } }
}

extension ByteCursor {
  /// Appends `YYYY-MM-DD`; the year must be within 0…9999.
  package mutating func append(_ date: CivilDate) {
    let (year, month, day) = date.components
    let digits = eightDigits(UInt32(truncatingIfNeeded: year &* 10_000 &+ month &* 100 &+ day))
    append(pair: digits)
    append(pair: digits >> 16)
    append(UInt8(ascii: "-"))
    append(pair: digits >> 32)
    append(UInt8(ascii: "-"))
    append(pair: digits >> 48)
  }
}
