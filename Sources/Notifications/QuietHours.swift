import JSON
import Values
import Web

/// A minute of a day, 0 to 1439, written `22:30`.
struct MinuteOfDay: JSONWritable, Hashable {
  static let pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"

  let number: Int

  init(_ number: Int) { self.number = number }

  /// Reads `hh:mm`; nil for anything else.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"), let hour = Int(digits: text.prefix(2)),
      let minute = Int(digits: text.suffix(2)), hour < 24, minute < 60
    else { return nil }
    number = hour * 60 + minute
  }

  func write(to json: inout JSONWriter) {
    func digits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    json.string("\(digits(number / 60)):\(digits(number % 60))")
  }
}

/// The time of every day when a channel is silent: from one minute to before another, perhaps past midnight. News of
/// that time is sent at its end.
struct QuietHours: JSONWritable, Hashable {
  let from: MinuteOfDay
  let to: MinuteOfDay
  /// The IANA's name of the time zone.
  let timeZone: String

  static let expectation = "must not end when they begin"
  var areEmpty: Bool { from == to }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("from", from)
      json.member("to", to)
      json.member("timeZone", timeZone)
    }
  }

  static var schema: Schema { Rule.quietHours.schema }
}

extension Rule where Value == QuietHours {
  static var quietHours: Rule {
    Rule.object(named: "QuietHours") { fields in
      QuietHours(
        from: fields.required("from", .minuteOfDay), to: fields.required("to", .minuteOfDay),
        timeZone: fields.optional("timeZone", .timeZone, "UTC by default.") ?? TimeZoneName.assumed)
    }.checked(QuietHours.expectation) { !$0.areEmpty }
  }
}

extension Rule where Value == MinuteOfDay {
  static var minuteOfDay: Rule {
    Rule<String>.string(0...5).converted(
      "must be a time of day such as 22:30", placeholder: MinuteOfDay(0),
      schema: .string(minLength: 5, maxLength: 5, pattern: MinuteOfDay.pattern)
    ) { MinuteOfDay($0) }
  }
}
