import Glibc

/// The temperature at which the air's water begins to settle.
enum DewPoint {
  /// The constants of Magnus for water between -45 and 60 °C (Sonntag, 1990).
  private static let slope = 17.62
  private static let origin = 243.12

  /// In °C, from the temperature in °C and the relative humidity in percent; nil for air without any water.
  static func of(temperature: Double, humidity: Double) -> Double? {
    guard humidity > 0 else { return nil }
    let gamma = log(min(humidity, 100) / 100) + slope * temperature / (origin + temperature)
    return origin * gamma / (slope - gamma)
  }
}
