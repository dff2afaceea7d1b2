/// What is known of a night at one of its hours: what a forecast of its minimum is made from.
package struct NightFeatures {
  /// How many there are.
  package static let count = 7
  /// From which hour on the highest of the day before the night is looked for.
  private static let warmHour = 9.0

  /// The air now, in °C.
  package let temperature: Double
  /// The lowest so far in the cold hours; nil before them.
  package let lowest: Double?
  /// In the order of `FrostPrior.means`; nil where it was not measured.
  let known: [Double?]

  /// Nil when nobody knows the temperature.
  init?(air: SolarCurve, dew: SolarCurve?, day: Int, hour: Double) {
    let midnight = Double(day) * 24
    let now = midnight + hour
    guard let temperature = air.value(at: now) else { return nil }
    self.temperature = temperature
    let cold = SolarNight.coldHours
    lowest = hour > cold.lowerBound ? air.low(midnight + cold.lowerBound, now) : nil
    let dewPoint = dew?.value(at: now)
    let highest = air.high(midnight + Self.warmHour, midnight + min(hour, cold.lowerBound))
    let lastNight = air.low(midnight + cold.lowerBound - 24, midnight + cold.upperBound - 24)
    known = [
      dewPoint.map { temperature - $0 },
      air.value(at: now - 24).map { temperature - $0 },
      highest.map { $0 - temperature },
      air.value(at: now - 2).map { temperature - $0 },
      dewPoint.flatMap { now in dew?.value(at: midnight + hour - 6).map { now - $0 } },
      lastNight.map { temperature - $0 },
      temperature,
    ]
  }

  /// With what is usual in the place of what was not measured.
  package func filled(by prior: FrostPrior) -> [Double] { known.indices.map { known[$0] ?? prior.means[$0] } }
}
