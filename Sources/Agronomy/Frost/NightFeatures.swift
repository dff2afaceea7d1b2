/// What is known of a night at one of its hours, from which its minimum is forecast.
package struct NightFeatures {
  /// The number of features.
  package static let count = 7
  /// The hour from which the highest temperature of the day before is looked for.
  private static let warmHour = 9.0

  /// The present temperature of the air, in °C.
  package let temperature: Double
  /// The lowest so far in the cold hours; nil before them.
  package let lowest: Double?
  /// In the order of `FrostPrior.means`; nil where it was not measured.
  let known: [Double?]

  /// Nil where the temperature is not known.
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

  /// The features, with the usual value in place of each that was not measured.
  package func filled(by prior: FrostPrior) -> [Double] { known.indices.map { known[$0] ?? prior.means[$0] } }
}
