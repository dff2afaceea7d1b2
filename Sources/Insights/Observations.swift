import Agronomy
import Gardens
import Values

/// What was measured about one moment: a reading, or all readings of a short time together.
struct Point: Equatable {
  /// When that time began.
  let at: Timestamp
  let mean: Double
  let min: Double
  let max: Double
  let count: Int64

  init(at: Timestamp, mean: Double, min: Double, max: Double, count: Int64) {
    self.at = at
    self.mean = mean
    self.min = min
    self.max = max
    self.count = count
  }

  /// A single reading.
  init(_ at: Timestamp, _ value: Double) { self.init(at: at, mean: value, min: value, max: value, count: 1) }
}

/// The points of one sensor of one device, ascending by time and never empty.
struct SensorSeries {
  let device: Identifier
  let deviceName: String
  let sensorType: String
  let points: [Point]

  var newest: Point { points[points.count - 1] }

  /// The unit of its values as a sentence has it, with the space before it; empty when nobody knows it.
  var unit: String { (KnownSensor(rawValue: sensorType)?.unit).map { $0 == "%" ? " %" : " \($0)" } ?? "" }
}

/// All that a rule may know of a garden.
struct Observations {
  let series: [SensorSeries]
  /// The moment for which the rule speaks.
  let now: Timestamp
  /// Degrees east, which tell when the sun rises; nil when the garden does not say where it is.
  var longitude: Double?

  func of(_ sensor: KnownSensor) -> [SensorSeries] { series.filter { $0.sensorType == sensor.rawValue } }
}
