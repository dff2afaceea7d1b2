import Values

/// One measurement of a device, checked.
package struct Reading {
  /// What any sensor may measure; sums of such values are far from what a double cannot hold.
  package static let values = -1e15...1e15
  /// The same in SQL, for what was stored before this was held to.
  package static let sqlValues = "BETWEEN \(values.lowerBound) AND \(values.upperBound)"

  let type: SensorType
  let value: Double
  let measuredAt: Timestamp
  /// Its place in the request.
  let index: Int
}
