import Values

/// What was measured about one moment: a reading, or all readings of a short span together.
package struct Point: Equatable {
  /// When that span began.
  package let at: Timestamp
  package let mean: Double
  package let min: Double
  package let max: Double
  package let count: Int64

  package init(at: Timestamp, mean: Double, min: Double, max: Double, count: Int64) {
    self.at = at
    self.mean = mean
    self.min = min
    self.max = max
    self.count = count
  }

  /// A single reading.
  package init(_ at: Timestamp, _ value: Double) { self.init(at: at, mean: value, min: value, max: value, count: 1) }

  /// Whether all its readings were the same.
  var isFlat: Bool { min == max }
}
