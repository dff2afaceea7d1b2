import Values

/// The points of one sensor of one device, ascending by time and never empty.
package struct SensorSeries {
  package let device: Identifier
  package let deviceName: String
  package let sensorType: String
  package let points: [Point]
  /// Whole hours, those of the points and earlier ones, as far back as a rule looks; empty where none does.
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

  /// The unit of its values as a sentence has it, with the space before it; empty when it is not known.
  package var unit: String { KnownSensor(rawValue: sensorType)?.sentenceUnit ?? "" }
}
