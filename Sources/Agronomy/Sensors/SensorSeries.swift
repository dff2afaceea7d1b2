import Values

/// The points of one sensor of one device, ascending by time and never empty.
package struct SensorSeries {
  package let device: Identifier
  package let deviceName: String
  package let sensorType: String
  package let points: [Point]
  /// The hours before and under them, as far as a rule looks back; empty where none does.
  package let hours: [Point]

  package init(
    device: Identifier, deviceName: String, sensorType: String, points: [Point], hours: [Point] = []
  ) {
    self.device = device
    self.deviceName = deviceName
    self.sensorType = sensorType
    self.points = points
    self.hours = hours
  }

  package var newest: Point { points[points.count - 1] }

  /// The unit of its values as a sentence has it, with the space before it; empty when nobody knows it.
  package var unit: String { KnownSensor(rawValue: sensorType)?.sentenceUnit ?? "" }
}
