/// A moment in UTC to the millisecond, as stored and as written in RFC 3339.
package struct Timestamp: Hashable, Sendable, Comparable, BitwiseCopyable {
  /// Milliseconds since 1970-01-01T00:00:00Z; negative before.
  package let unixMilliseconds: Int64

  package init(unixMilliseconds: Int64) { self.unixMilliseconds = unixMilliseconds }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.unixMilliseconds < right.unixMilliseconds }

  /// The moment `milliseconds` later (or earlier, when negative).
  package func advanced(byMilliseconds milliseconds: Int64) -> Timestamp {
    Timestamp(unixMilliseconds: unixMilliseconds + milliseconds)
  }

  // MARK: Text

  /// The length of the text form in bytes: `2026-11-21T09:30:00.000Z`.
  package static let textLength = 24

  /// The moments that the text form has a year for, 0…9999 in UTC.
  package static var writable: ClosedRange<Timestamp> {
    Timestamp(unixMilliseconds: -62_167_219_200_000)...Timestamp(unixMilliseconds: 253_402_300_799_999)
  }

  /// Appends the text form of a `writable` moment, 24 bytes.
  package func appendText(to bytes: inout [UInt8]) {
    bytes.append(upTo: Self.textLength) { $0.append(self) }
  }

  /// Reads an RFC 3339 date-time with any offset; digits below the millisecond are cut off.
  ///
  /// `t` and `z` may be lower case. Second 60, an offset beyond ±23:59 and days that no month has give nil, and so does
  /// what an offset carries out of the years that can be written.
  package init?(_ text: UnsafeRawBufferPointer) {
    var scanner = DigitScanner(text)
    guard let year = scanner.number(digits: 4), scanner.take("-"),
      let month = scanner.number(digits: 2), scanner.take("-"),
      let day = scanner.number(digits: 2), scanner.take("T") || scanner.take("t"),
      let hour = scanner.number(digits: 2), scanner.take(":"),
      let minute = scanner.number(digits: 2), scanner.take(":"),
      let second = scanner.number(digits: 2),
      hour < 24, minute < 60, second < 60,
      let date = CivilDate(year: year, month: month, day: day),
      let fraction = scanner.millisecondFraction(),
      let offset = scanner.offsetMinutes(), scanner.isAtEnd
    else { return nil }
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60
    self.init(unixMilliseconds: seconds * 1_000 + fraction)
    guard Self.writable.contains(self) else { return nil }
  }

  /// Reads an RFC 3339 date-time; see `init?(_: UnsafeRawBufferPointer)`.
  package init?(_ text: some StringProtocol) {
    var text = String(text)
    guard let timestamp = text.withUTF8({ Timestamp(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = timestamp
  }
}

extension Timestamp: CustomStringConvertible {
  /// The RFC 3339 form in UTC with milliseconds.
  package var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.textLength)
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension Int64 {
  /// The quotient rounded towards negative infinity; the divisor is positive.
  package func floorDivided(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

extension ByteCursor {
  /// Appends the text form of a `writable` moment, 24 bytes.
  package mutating func append(_ moment: Timestamp) {
    let days = moment.unixMilliseconds.floorDivided(by: Timestamp.millisecondsPerDay)
    append(CivilDate(daysSinceEpoch: days))
    let rest = UInt32(truncatingIfNeeded: moment.unixMilliseconds &- days &* Timestamp.millisecondsPerDay)
    let (minutes, milliseconds) = (rest / 60_000, rest % 60_000)
    // Hours, minutes, seconds and hundredths, two digits each; the thousandth comes after them.
    let digits = eightDigits(minutes / 60 &* 1_000_000 &+ minutes % 60 &* 10_000 &+ milliseconds / 10)
    append(UInt8(ascii: "T"))
    append(pair: digits)
    append(UInt8(ascii: ":"))
    append(pair: digits >> 16)
    append(UInt8(ascii: ":"))
    append(pair: digits >> 32)
    append(UInt8(ascii: "."))
    append(pair: digits >> 48)
    append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: milliseconds % 10))
    append(UInt8(ascii: "Z"))
  }
}
