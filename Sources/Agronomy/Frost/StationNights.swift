import Glibc
import Values

/// A weather station's nights: the present one and those that it has seen.
package struct StationNights {
  /// How many nights are learnt from, and the age, in nights, at which one weighs about a third.
  package static let learnt = 60
  static let memory = 60.0

  private let air: SolarCurve
  private let dew: SolarCurve?

  /// A station with its own humidity or a neighbour's; nil without any.
  package init(_ temperature: SensorSeries, humidity: SensorSeries?, longitude: Double) {
    air = SolarCurve(temperature, longitude: longitude)
    dew = humidity.flatMap { DewPoint.series(temperature, humidity: $0) }.map { SolarCurve($0, longitude: longitude) }
  }

  /// What was known of a night at an hour; nil without a temperature.
  package func features(day: Int, hour: Double) -> NightFeatures? {
    NightFeatures(air: air, dew: dew, day: day, hour: hour)
  }

  /// How much colder a night became after an hour; nil unless all of it was measured.
  package func drop(day: Int, hour: Double) -> Double? {
    let midnight = Double(day) * 24
    guard let now = air.value(at: midnight + hour),
      let lowest = air.low(midnight + hour, midnight + max(SolarNight.coldHours.upperBound, hour))
    else { return nil }
    return lowest - now
  }

  /// The minimum of a night, as far as it is known by now.
  func lastMinimum(day: Int) -> Double? {
    let midnight = Double(day) * 24
    return air.low(midnight + SolarNight.coldHours.lowerBound, midnight + SolarNight.coldHours.upperBound)
  }

  /// The night's minimum as forecast at an hour, its standard deviation, and how many nights it rests on; nil without a
  /// temperature.
  func forecast(day: Int, hour: Double) -> (minimum: Double, spread: Double, nights: Int)? {
    guard let features = features(day: day, hour: hour) else { return nil }
    let prior = FrostPrior.at(hour)
    var regression = NightRegression(prior)
    var nights = 0
    for age in 1...Self.learnt {
      guard let past = self.features(day: day - age, hour: hour), let drop = drop(day: day - age, hour: hour) else {
        continue
      }
      nights += 1
      regression.learn(past.filled(by: prior), drop: drop, weight: Self.weight(age))
    }
    let (drop, spread) = regression.forecast(features.filled(by: prior))
    let minimum = features.temperature + min(drop, 0)
    return (min(minimum, features.lowest ?? minimum), spread, nights)
  }

  /// How much a night weighs `age` nights later; the present one would weigh one.
  package static func weight(_ age: Int) -> Double { exp(-Double(age) / memory) }
}
