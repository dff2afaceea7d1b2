import Values

/// A length of time as people write it: `200ms`, `5s`, `10m`, `1h`.
package enum TimeSpan {
  private static let units: [(suffix: String, seconds: Double)] = [
    ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600),
  ]
  /// The longest that is accepted, in seconds.
  private static let maximumSeconds = 7 * 86_400.0

  /// Reads a length of time, in seconds; nil when it is malformed, zero or longer than a week.
  package static func seconds(_ text: String) -> Double? {
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
    guard let count = Int(digits: text.dropLast(unit.suffix.count)), count > 0 else { return nil }
    let seconds = Double(count) * unit.seconds
    return seconds <= maximumSeconds ? seconds : nil
  }
}
