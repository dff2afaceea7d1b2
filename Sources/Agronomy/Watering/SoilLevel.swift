import Values

/// How wet soil is by the newest points of a probe.
///
/// The level is the median of the points of a few hours, so that one wrong value moves nothing, and of none from before
/// the last watering.
struct SoilLevel {
  /// The most points that it is the median of, and the hours within which they lie.
  static let mostPoints = 3
  static let longestHours = 3.0
  /// A rise by this much from one point to the next, in percent of volume, is water that came.
  static let wateringRise = 3.0

  /// Percent of volume.
  let percent: Double
  /// When the first point was measured that it is made of.
  let since: Timestamp
  /// Whether only the newest point has risen: a second one has yet to confirm it.
  let hasJustRisen: Bool

  /// The level at the last of `points`, of which there is at least one.
  init(_ points: ArraySlice<Point>) {
    let (current, isRise) = Self.current(points)
    since = current.first!.at
    hasJustRisen = isRise && current.count == 1
    // A point in which water came is a mean of before and after.
    percent = hasJustRisen ? points.last!.max : Statistics.median(current.map(\.mean))!
  }

  /// The points that say how wet the soil is now, at least one, and whether the first of them is where water came.
  private static func current(_ points: ArraySlice<Point>) -> (points: ArraySlice<Point>, isRise: Bool) {
    let newest = points[points.endIndex - 1]
    var start = max(0, points.endIndex - mostPoints)
    while points[start].at.hours(until: newest.at) > longestHours { start += 1 }
    // A rise that is gone by now was one wrong value.
    let rise = (max(start, 1)..<points.endIndex).last { index in
      let before = points[index - 1].mean
      return min(points[index].mean, newest.mean) - before >= wateringRise
    }
    return (points[(rise ?? start)...], rise != nil)
  }
}
