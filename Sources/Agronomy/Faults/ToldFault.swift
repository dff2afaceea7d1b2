import JSON
import Values

/// A fault that was told, as it is in evidence.
struct ToldFault {
  /// After how many hours a fault that lasts counts as usual: sooner for a jump, which only the value before it shows.
  static let longestHours = 168.0
  static let longestJumpHours = 24.0

  let kind: SensorFault.Kind
  let value: Double
  let expected: Double
  /// When it began, as far as is known, and when it was found.
  let since: Timestamp
  let foundAt: Timestamp
  let usual: Comparison.Usual?
  let json: JSONObject

  init?(_ json: JSONObject) {
    guard let kind = json.text("kind").flatMap(SensorFault.Kind.init), let value = json.number("value"),
      let expected = json.number("expected"), let hours = json.number("hours"),
      let measuredAt = json.text("measuredAt").flatMap({ Timestamp($0) }),
      let foundAt = json.text("foundAt").flatMap({ Timestamp($0) })
    else { return nil }
    (self.kind, self.value, self.expected, self.foundAt) = (kind, value, expected, foundAt)
    // A sensor is missing since its last value.
    since = measuredAt.advanced(byHours: kind == .missing ? 0 : -hours)
    self.json = json
    usual = if case .object(let usual)? = json["usual"] { Comparison.Usual(usual) } else { nil }
  }

  /// Whether it has lasted too long since it was found. A missing sensor's time counts from its last value: its hours
  /// are read for some days only, and the more seldom it sent, the later it was found.
  func isOver(at now: Timestamp) -> Bool {
    let longest = kind == .impossible ? Self.longestJumpHours : Self.longestHours
    return (kind == .missing ? since : foundAt).hours(until: now) > longest
  }
}
