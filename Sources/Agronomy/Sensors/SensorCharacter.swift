/// How a kind of sensor behaves when nothing is wrong with it; anomalies are told from that.
///
/// The tests are those of WMO for automatic stations (Zahumenský, 2004, Guidelines on Quality Control Procedures for
/// Data from Automatic Weather Stations): plausible values, plausible rates of change, minimum variability, and
/// neighbours; with wider bounds, since a garden's sensors have no shield.
struct SensorCharacter {
  /// The largest change that weather makes and takes back within half an hour.
  var excursion: Double?
  /// The largest rise and the largest fall within ten minutes.
  var rise: Double?
  var fall: Double?
  /// By how much the difference from its neighbours may leave the range of the week before; nil for types that differ
  /// from bed to bed.
  var neighbours: Double?
  /// Whether it never measures the very same for hours.
  var varies = false
  /// Values that may well stay the same: of air that is full of water, and of soil whose water freezes or thaws, or
  /// under snow.
  var plateau: ClosedRange<Double>?
  /// Larger values cannot be, although a sensor may report them.
  var impossible = Double.infinity

  init(_ sensorType: String) {
    switch KnownSensor(rawValue: sensorType) {
    case .airTemperature: (excursion, rise, fall, neighbours, varies) = (6, 12, 12, 3, true)
    case .soilTemperature:
      (excursion, rise, fall, neighbours, varies) = (4, 8, 8, 2.5, true)
      // Zero degrees, give or take the error of a cheap probe, and what salts lower the freezing point by.
      plateau = -1...1
    case .airHumidity:
      (excursion, rise, fall, neighbours, varies) = (30, 60, 60, 18, true)
      plateau = 97 ... .infinity
    case .pressure: (excursion, rise, fall, neighbours, varies) = (5, 10, 10, 3, true)
    // Water comes at any rate, to one bed and not to the next, and goes slowly.
    case .soilMoisture: (excursion, fall, varies) = (8, 8, true)
    case .light: impossible = 150_000
    case .windSpeed: impossible = 90
    case .rain: impossible = 400
    case .ph: excursion = 2
    case .conductivity, .battery, nil: break
    }
  }
}
