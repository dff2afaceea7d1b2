import Values

/// One measurement of a device, checked.
package struct Reading {
  /// The values that any sensor may measure; sums of them are far from what a double cannot hold.
  package static let values = -1e15...1e15
  /// These bounds in SQL, for values that were stored before they were enforced.
  package static let sqlValues = "BETWEEN \(values.lowerBound) AND \(values.upperBound)"

  let type: SensorType
  let value: Double
  let measuredAt: Timestamp
  /// Its place in the request.
  let index: Int
}
