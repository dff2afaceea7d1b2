import JSON
import Values

/// What is wrong with one sensor.
package struct SensorFault {
  package enum Kind: String {
    /// Its value is impossible, or changed faster than is possible.
    case impossible
    /// A value that was gone right after.
    case spike
    /// It has measured the very same for too long.
    case stuck
    /// It has left its neighbours.
    case apart
    /// Nothing more comes from it, though its device is heard of.
    case missing
  }

  package let series: SensorSeries
  package let kind: Kind
  let point: Point
  /// About what it should have measured; for one that left its neighbours, how far it is from what they let expect.
  let expected: Double
  /// How many hours it has lasted.
  let hours: Double
  /// The usual differences from its neighbours, for one that left them.
  var usual: Comparison.Usual?

  func sentence(_ clock: GardenClock) -> String {
    let (name, type, unit) = (series.deviceName, series.sensorType, series.unit)
    let value = point.mean.sentenceText(places: 2)
    let when = clock.text(point.at)
    switch kind {
    case .impossible, .spike:
      return "\(name) measured \(type) of \(value)\(unit) at \(when), where about "
        + "\(expected.sentenceText(places: 2))\(unit) was expected."
    case .stuck:
      return "\(name) has measured \(type) of exactly \(value)\(unit) for \(hours.sentenceText(places: 0)) hours."
    case .apart:
      return "\(name) measures \(type) of \(value)\(unit) at \(when), about "
        + "\(abs(expected).sentenceText(places: 1))\(unit) \(expected > 0 ? "more" : "less") than its neighbours suggest."
    case .missing:
      return "\(name) is reporting, but no \(type) measured after \(when): "
        + "the sensor may be broken, or the device's clock slow."
    }
  }

  /// Writes it into evidence. `foundAt` is when it was first told; now for a new one.
  func write(_ json: inout JSONWriter, foundAt: Timestamp) {
    json.member("deviceId", series.device)
    json.member("deviceName", series.deviceName)
    json.member("sensorType", series.sensorType)
    json.member("kind", kind.rawValue)
    json.member("value", point.mean.rounded(places: 3))
    json.member("measuredAt", point.at)
    json.member("expected", expected.rounded(places: 3))
    json.member("hours", hours.rounded(places: 2))
    json.member("foundAt", foundAt)
    if let usual {
      json.key("usual")
      json.object { usual.write(&$0) }
    }
  }
}
