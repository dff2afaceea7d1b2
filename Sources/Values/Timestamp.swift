/// A moment in UTC to the millisecond, as stored and as written in RFC 3339.
package struct Timestamp: Hashable, Sendable, Comparable {
  /// Milliseconds since 1970-01-01T00:00:00Z; negative before.
  package let unixMilliseconds: Int64

  package init(unixMilliseconds: Int64) { self.unixMilliseconds = unixMilliseconds }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.unixMilliseconds < right.unixMilliseconds }

  /// The moment that many milliseconds later (or earlier, when negative).
  package func advanced(byMilliseconds milliseconds: Int64) -> Timestamp {
    Timestamp(unixMilliseconds: unixMilliseconds + milliseconds)
  }

  // MARK: Text

  /// The length of the text form in bytes: `2026-11-21T09:30:00.000Z`.
  package static let textLength = 24

  /// Appends the text form, 24 bytes; the year must be within 0…9999.
  package func appendText(to bytes: inout [UInt8]) {
    let days = unixMilliseconds.floorDivided(by: 86_400_000)
    let rest = UInt32(truncatingIfNeeded: unixMilliseconds - days * 86_400_000)
    let seconds = rest / 1_000
    CivilDate(daysSinceEpoch: days).appendText(to: &bytes)
    bytes.append(addingCapacity: 14) { output in
      output.append(UInt8(ascii: "T"))
      output.appendTwoDigits(seconds / 3_600)
      output.append(UInt8(ascii: ":"))
      output.appendTwoDigits(seconds / 60 % 60)
      output.append(UInt8(ascii: ":"))
      output.appendTwoDigits(seconds % 60)
      output.append(UInt8(ascii: "."))
      output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 1_000 / 100))
      output.appendTwoDigits(rest % 100)
      output.append(UInt8(ascii: "Z"))
    }
  }

  /// Reads an RFC 3339 date-time with any offset; digits below the millisecond are cut off.
  ///
  /// `t` and `z` may be lower case. Second 60, an offset beyond ±23:59 and days that no month has give nil.
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

extension OutputSpan<UInt8> {
  /// Appends a number below 100 with its leading zero.
  @inline(__always)
  mutating func appendTwoDigits(_ number: UInt32) {
    append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
    append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
  }
}

extension [UInt8] {
  /// Appends the last `width` decimal digits of a non-negative number, with leading zeros.
  package mutating func appendDigits(_ number: Int64, width: Int) {
    append(addingCapacity: width) { output in
      output.withUnsafeMutableBufferPointer { buffer, initialized in
        var rest = UInt64(number)
        for position in stride(from: width - 1, through: 0, by: -1) {
          buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        }
        initialized = width
      }
    }
  }
}
