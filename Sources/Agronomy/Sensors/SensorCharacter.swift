/// How a kind of sensor behaves when nothing is wrong with it: what anomalies are told from.
///
/// The tests are those of WMO for automatic stations (Zahumenský, 2004, Guidelines on Quality Control Procedures for
/// Data from Automatic Weather Stations): plausible values, plausible rates of change, minimum variability, and
/// neighbours; with wider bounds, since a garden's sensors have no shield.
struct SensorCharacter {
  /// What no weather changes by and back within half an hour.
  var excursion: Double?
  /// What nothing changes by within ten minutes: upwards, and downwards.
  var rise: Double?
  var fall: Double?
  /// By how much the difference from its neighbours may leave the range of the week before; nil for what differs from
  /// bed to bed.
  var neighbours: Double?
  /// Whether it never measures the very same for hours.
  var varies = false
  /// Where it may well stay the same: air that is full of water, and soil whose water freezes or thaws, or under snow.
  var plateau: ClosedRange<Double>?
  /// What cannot be, although a sensor might say so.
  var impossible = Double.infinity

  init(_ sensorType: String) {
    switch KnownSensor(rawValue: sensorType) {
    case .airTemperature: (excursion, rise, fall, neighbours, varies) = (6, 12, 12, 3, true)
    case .soilTemperature:
      (excursion, rise, fall, neighbours, varies) = (4, 8, 8, 2.5, true)
      // Zero degrees, give or take what a cheap probe is out by and salts lower the freezing point by.
      plateau = -1...1
    case .airHumidity:
      (excursion, rise, fall, neighbours, varies) = (30, 60, 60, 18, true)
      plateau = 97 ... .infinity
    case .pressure: (excursion, rise, fall, neighbours, varies) = (5, 10, 10, 3, true)
    // Water comes as fast as one likes, to one bed and not to the next, and goes slowly.
    case .soilMoisture: (excursion, fall, varies) = (8, 8, true)
    case .light: impossible = 150_000
    case .windSpeed: impossible = 90
    case .rain: impossible = 400
    case .ph: excursion = 2
    case .conductivity, .battery, nil: break
    }
  }
}
