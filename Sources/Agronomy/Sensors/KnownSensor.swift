/// The sensor types whose unit and physical range the server knows.
package enum KnownSensor: String, CaseIterable, Sendable {
  case soilMoisture = "soil_moisture"
  case soilTemperature = "soil_temperature"
  case airTemperature = "air_temperature"
  case airHumidity = "air_humidity"
  case light
  /// What has fallen since the reading before.
  case rain
  case windSpeed = "wind_speed"
  case ph
  case conductivity = "ec"
  case battery
  case pressure

  /// The unit of its values, as people write it; a pH has none.
  package var unit: String? {
    switch self {
    case .soilMoisture, .airHumidity, .battery: "%"
    case .soilTemperature, .airTemperature: "°C"
    case .light: "lux"
    case .rain: "mm"
    case .windSpeed: "m/s"
    case .ph: nil
    case .conductivity: "mS/cm"
    case .pressure: "hPa"
    }
  }

  /// The unit behind a number in a sentence, with the space before it; empty for a pH.
  package var sentenceUnit: String { unit.map { " \($0)" } ?? "" }

  /// The values that it can measure; any other is a fault of the sensor.
  package var range: ClosedRange<Double> {
    switch self {
    case .soilMoisture, .airHumidity, .battery: 0...100
    case .soilTemperature: -40...85
    case .airTemperature: -60...70
    case .light: 0...200_000
    case .rain: 0...2_000
    case .windSpeed: 0...120
    case .ph: 0...14
    case .conductivity: 0...20
    case .pressure: 300...1_100
    }
  }
}
