import Glibc

/// The temperature at which the air's water begins to condense.
package enum DewPoint {
  /// The constants of Magnus for water between -45 and 60 °C (Sonntag, 1990).
  private static let slope = 17.62
  private static let origin = 243.12

  /// In °C, from the temperature in °C and the relative humidity in percent; nil for air without any water.
  package static func of(temperature: Double, humidity: Double) -> Double? {
    guard humidity > 0 else { return nil }
    let gamma = log(min(humidity, 100) / 100) + slope * temperature / (origin + temperature)
    return origin * gamma / (slope - gamma)
  }

  /// The dew points of all moments at which both were measured.
  static func series(_ temperature: SensorSeries, humidity: SensorSeries) -> SensorSeries? {
    let points = joined(temperature.points, humidity.points)
    guard !points.isEmpty else { return nil }
    return SensorSeries(
      device: temperature.device, deviceName: temperature.deviceName, sensorType: "dew_point", points: points,
      hours: joined(temperature.hours, humidity.hours))
  }

  private static func joined(_ temperatures: [Point], _ humidities: [Point]) -> [Point] {
    var (result, next): ([Point], Int) = ([], 0)
    for point in temperatures {
      while next < humidities.count, humidities[next].at < point.at { next += 1 }
      guard next < humidities.count, humidities[next].at == point.at else { continue }
      guard let value = of(temperature: point.mean, humidity: humidities[next].mean) else { continue }
      result.append(Point(point.at, value))
    }
    return result
  }
}
