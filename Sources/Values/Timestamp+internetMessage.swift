extension Timestamp {
  /// A `writable` moment as HTTP and mail write it, but for the zone behind it: `Sat, 21 Nov 2026 09:30:00` (RFC 9110,
  /// section 5.6.7; RFC 5322, section 3.3).
  package var internetMessageText: String {
    let date = CivilDate(self)
    let (year, month, day) = date.components
    // 1 January 1970 was a Thursday.
    let weekday = (date.daysSinceEpoch % 7 + 11) % 7
    let seconds = (unixMilliseconds - date.start.unixMilliseconds) / 1_000
    var text = Array("\(Self.weekdays[Int(weekday)]), ".utf8)
    text.appendDigits(day, width: 2)
    text += Array(" \(Self.months[Int(month) - 1]) ".utf8)
    text.appendDigits(year, width: 4)
    for (separator, number) in [(" ", seconds / 3_600), (":", seconds / 60 % 60), (":", seconds % 60)] {
      text += Array(separator.utf8)
      text.appendDigits(number, width: 2)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
