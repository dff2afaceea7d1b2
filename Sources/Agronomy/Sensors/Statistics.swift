import Values

/// The few numbers that rules make of points.
package enum Statistics {
  /// The median of some numbers; nil when there are none.
  package static func median(_ numbers: [Double]) -> Double? {
    guard !numbers.isEmpty else { return nil }
    let sorted = numbers.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The change of the mean per hour, by least squares; nil unless there are points of two different times.
  package static func slopePerHour(_ points: ArraySlice<Point>) -> Double? {
    guard let first = points.first, points.count > 1 else { return nil }
    let hours = points.map { first.at.hours(until: $0.at) }
    let middleHour = hours.reduce(0, +) / Double(hours.count)
    let middleValue = points.reduce(0) { $0 + $1.mean } / Double(points.count)
    var (covariance, variance) = (0.0, 0.0)
    for (hour, point) in zip(hours, points) {
      covariance += (hour - middleHour) * (point.mean - middleValue)
      variance += (hour - middleHour) * (hour - middleHour)
    }
    return variance > 0 ? covariance / variance : nil
  }
}

extension Double {
  /// The number rounded to `places` decimal places.
  package func rounded(places: Int) -> Double {
    let factor = (0..<places).reduce(1.0) { power, _ in power * 10 }
    let scaled = (self * factor).rounded() / factor
    // A number too large to be scaled has no such places; minus zero reads oddly.
    return scaled.isFinite ? scaled + 0 : self
  }

  /// The number as a sentence has it: with at most `places` decimal places, and none when they are zero.
  package func sentenceText(places: Int = 1) -> String {
    let rounded = rounded(places: places)
    return Int64(exactly: rounded).map(String.init) ?? "\(rounded)"
  }
}
