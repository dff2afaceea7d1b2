import Values

extension SensorSeries {
  /// How many points on either side of one say what it should have been, and the hours within which they lie.
  static let pointsBeside = 3
  static let hoursBeside = 1.5

  /// Itself without what no weather does: points that are out and back, and one that jumped and that none after it has
  /// confirmed yet. The first point always stays.
  var credible: SensorSeries {
    guard let excursion = SensorCharacter(sensorType).excursion else { return self }
    return SensorSeries(
      device: device, deviceName: deviceName, sensorType: sensorType,
      points: points.indices.filter { !isOut($0, by: excursion) }.map { points[$0] }, hours: hours)
  }

  /// Whether a point is further from those on both sides than an excursion goes, or from those before where none follows.
  private func isOut(_ index: Int, by excursion: Double) -> Bool {
    let point = points[index]
    func distance(_ others: ArraySlice<Point>) -> Double? {
      Statistics.median(others.map(\.mean)).map { point.mean - $0 }
    }
    let before = points[..<index].suffix(Self.pointsBeside)
      .suffix { $0.at.hours(until: point.at) <= Self.hoursBeside }
    guard let jump = distance(before), abs(jump) > excursion else { return false }
    let after = points[(index + 1)...].prefix(Self.pointsBeside)
      .prefix { point.at.hours(until: $0.at) <= Self.hoursBeside }
    guard let back = distance(after) else { return true }
    return jump > 0 ? back > excursion : back < -excursion
  }
}
