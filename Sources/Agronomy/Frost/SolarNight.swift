import Values

/// A night by the mean sun of a place. It lasts from noon to noon, its hours counted from the midnight before.
struct SolarNight: Equatable {
  /// The hours between which its minimum is looked for.
  static let coldHours = 18.0...32.0
  /// The hours between which growers are warned of it.
  static let warnedHours = 15.0...30.0

  /// Days since 1970 by the mean sun.
  let day: Int
  /// From 12 to 36.
  let hour: Double

  init(at moment: Timestamp, longitude: Double) {
    let hours = Self.solarHours(moment, longitude: longitude)
    day = Int(((hours - 12) / 24).rounded(.down))
    hour = hours - Double(day) * 24
  }

  /// Whether it is time to warn.
  var isWarned: Bool { Self.warnedHours.contains(hour) }

  /// Hours since 1970 by the mean sun.
  static func solarHours(_ moment: Timestamp, longitude: Double) -> Double {
    Double(moment.unixMilliseconds) / Double(Timestamp.millisecondsPerHour) + longitude / 15
  }
}
