import Values

/// Finds what is wrong with a sensor by its own values, whatever others measure.
enum FaultFinder {
  /// How long something that is over is still told, in hours: the next pass has to see it.
  static let freshHours = 1.0
  /// The fewest and the most points before a value that say what it should have been, and the hours within which they
  /// lie.
  static let fewestBefore = 3
  static let mostBefore = 6
  static let beforeHours = 1.5
  /// Two points that are further apart than this, in hours, do not tell how fast something changed.
  static let longestStepHours = 0.5
  /// For how many hours the very same value is no accident, and how many times as long as any such stretch before.
  static let stuckHours = 4.5
  static let stuckFactor = 2.0
  /// The fewest earlier hours of which a sensor has to have values.
  static let fewestHours = 24

  /// Returns the fault of a sensor; nil when nothing is wrong.
  static func fault(_ series: SensorSeries) -> SensorFault? {
    let character = SensorCharacter(series.sensorType)
    return sudden(series, character) ?? stuck(series, character)
  }

  private static func sudden(_ series: SensorSeries, _ character: SensorCharacter) -> SensorFault? {
    let points = series.points
    // The first of them tells best: after a step, the expectation lies between its sides.
    for index in points.indices where points[index].at.hours(until: series.newest.at) <= freshHours {
      let point = points[index]
      if max(point.max, -point.min) > character.impossible {
        return SensorFault(series: series, kind: .impossible, point: extreme(point, point.max), expected: 0, hours: 0)
      }
      guard let before = expectation(points, index) else { continue }
      let worst = abs(point.max - before) >= abs(point.min - before) ? point.max : point.min
      let change = worst - before
      if let excursion = character.excursion, abs(change) > excursion,
        hasReturned(points, index, before, excursion)
      {
        return SensorFault(series: series, kind: .spike, point: extreme(point, worst), expected: before, hours: 0)
      }
      guard index > 0, points[index - 1].at.hours(until: point.at) <= longestStepHours else { continue }
      if change > character.rise ?? .infinity || -change > character.fall ?? .infinity {
        return SensorFault(series: series, kind: .impossible, point: extreme(point, worst), expected: before, hours: 0)
      }
    }
    return nil
  }

  private static func extreme(_ point: Point, _ value: Double) -> Point { Point(point.at, value) }

  /// The value to expect after the points before `index`; nil when there are too few.
  private static func expectation(_ points: [Point], _ index: Int) -> Double? {
    let before = points[..<index].suffix(while: { $0.at.hours(until: points[index].at) <= beforeHours })
    guard before.count >= fewestBefore else { return nil }
    return Statistics.median(before.suffix(mostBefore).map(\.mean))
  }

  /// Whether what was out at a point is mostly back soon after, or within that very point.
  private static func hasReturned(_ points: [Point], _ index: Int, _ before: Double, _ excursion: Double) -> Bool {
    let near = excursion / 2
    if abs(points[index].mean - before) < near, points[index].count > 1 { return true }
    return points[(index + 1)...]
      .prefix { points[index].at.hours(until: $0.at) <= longestStepHours }
      .contains { abs($0.mean - before) < near }
  }

  private static func stuck(_ series: SensorSeries, _ character: SensorCharacter) -> SensorFault? {
    let newest = series.newest
    guard character.varies, newest.isFlat, character.plateau?.contains(newest.mean) != true else { return nil }
    let run = series.points.reversed().prefix { $0.isFlat && $0.mean == newest.mean }
    guard run.count >= fewestBefore, let first = run.last else { return nil }
    var hours = first.at.hours(until: newest.at)
    guard hours >= stuckHours else { return nil }
    let before = series.hours.filter { $0.at.hours(until: first.at) >= 1 }
    guard before.count >= fewestHours else { return nil }
    // Where all points that were read are the same, the hours before say since when.
    if run.count == series.points.count, let last = before.last(where: { $0.min != newest.mean || !$0.isFlat }) {
      hours = max(hours, last.at.hours(until: newest.at) - 1)
    }
    let usual = longestFlat(before.filter { $0.at.hours(until: newest.at) > hours + 1 })
    guard hours >= stuckFactor * usual else { return nil }
    return SensorFault(series: series, kind: .stuck, point: newest, expected: newest.mean, hours: hours)
  }

  /// The longest stretch of the very same value, in hours.
  private static func longestFlat(_ hours: [Point]) -> Double {
    var (longest, current, value): (Double, Double, Double?) = (0, 0, nil)
    for hour in hours {
      current = hour.isFlat ? (hour.mean == value ? current + 1 : 1) : 0
      value = hour.isFlat ? hour.mean : nil
      longest = max(longest, current)
    }
    return longest
  }
}
