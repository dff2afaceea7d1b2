import Values

extension SensorSeries {
  /// How many points on either side of one say what it should have been, and the hours within which they lie.
  static let pointsBeside = 3
  static let hoursBeside = 1.5

  /// The series without what no weather does: readings and points that are out and back, and a jump that no later point
  /// has confirmed yet. The first point always stays.
  var credible: SensorSeries {
    guard let excursion = SensorCharacter(sensorType).excursion else { return self }
    return SensorSeries(
      device: device, deviceName: deviceName, sensorType: sensorType, points: Self.credible(points, excursion),
      hours: Self.credible(hours, excursion))
  }

  private static func credible(_ points: [Point], _ excursion: Double) -> [Point] {
    let points = points.map { $0.without(excursion) }
    return points.indices.filter { !isOut(points, $0, by: excursion) }.map { points[$0] }
  }

  /// Whether a point is further than `excursion` from those on both sides, or from those before it where none follow.
  private static func isOut(_ points: [Point], _ index: Int, by excursion: Double) -> Bool {
    let point = points[index]
    func distance(_ others: ArraySlice<Point>) -> Double? {
      Statistics.median(others.map(\.mean)).map { point.mean - $0 }
    }
    let before = points[..<index].suffix(pointsBeside)
      .suffix { $0.at.hours(until: point.at) <= hoursBeside }
    guard let jump = distance(before), abs(jump) > excursion else { return false }
    let after = points[(index + 1)...].prefix(pointsBeside)
      .prefix { point.at.hours(until: $0.at) <= hoursBeside }
    guard let back = distance(after) else { return true }
    return jump > 0 ? back > excursion : back < -excursion
  }
}

extension Point {
  /// The point without its one reading that is further than `excursion` from the mean, if there is one.
  fileprivate func without(_ excursion: Double) -> Point {
    let extreme = max - mean > mean - min ? max : min
    guard count > 2, abs(extreme - mean) > excursion else { return self }
    let rest = mean + (mean - extreme) / Double(count - 1)
    return Point(
      at: at, mean: rest, min: extreme == min ? rest : min, max: extreme == max ? rest : max, count: count - 1)
  }
}
