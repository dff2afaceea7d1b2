import Values

/// The Date field of answers (RFC 9110, section 6.6.1), rendered once per second.
struct DateField {
  /// The length of `Date: Sat, 21 Nov 2026 09:30:00 GMT` with its line end.
  static let byteCount = 37

  private let line: UnsafeMutableRawPointer
  private var second: Int64 = .min

  init() { line = .allocate(byteCount: Self.byteCount, alignment: 1) }

  func deallocate() { line.deallocate() }

  /// The field line for that moment, `byteCount` bytes.
  @inline(__always)
  mutating func bytes(_ unixMilliseconds: Int64) -> UnsafeRawPointer {
    let now = unixMilliseconds / 1_000
    if now != second { render(now) }
    return UnsafeRawPointer(line)
  }

  @inline(never)
  private mutating func render(_ now: Int64) {
    second = now
    let date = CivilDate(Timestamp(unixMilliseconds: now * 1_000))
    let (year, month, day) = date.components
    // 1 January 1970 was a Thursday.
    let weekday = (date.daysSinceEpoch % 7 + 11) % 7
    let seconds = now - date.daysSinceEpoch * 86_400
    var text = Array("Date: \(Self.weekdays[Int(weekday)]), ".utf8)
    text.appendDigits(day, width: 2)
    text += Array(" \(Self.months[Int(month) - 1]) ".utf8)
    text.appendDigits(year, width: 4)
    for (separator, number) in [(" ", seconds / 3_600), (":", seconds / 60 % 60), (":", seconds % 60)] {
      text += Array(separator.utf8)
      text.appendDigits(number, width: 2)
    }
    text += Array(" GMT\r\n".utf8)
    line.copyMemory(from: text, byteCount: Self.byteCount)
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
