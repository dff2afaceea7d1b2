import Values

/// A sensor's values over hours since 1970 by the mean sun, joined by straight lines.
struct SolarCurve {
  /// How far from a moment, in hours, a value may have been measured to count for it.
  static let maximumGapHours = 1.5
  /// How far below a point's mean its lowest reading may be, in °C: a lower one is a fault.
  static let lowestBelowMean = 2.0
  /// The share of a span that must have been measured for its extremes to be known.
  static let leastKnownShare = 0.7
  /// The width of points, in hours.
  static let pointHours = 1.0 / 6

  private var times: [Double] = []
  private var means: [Double] = []
  private var lows: [Double] = []

  init(_ series: SensorSeries, longitude: Double) {
    let first = series.points[0].at
    times.reserveCapacity(series.hours.count + series.points.count)
    for hour in series.hours where hour.at.hours(until: first) >= 1 { append(hour, width: 1, longitude) }
    for point in series.points { append(point, width: Self.pointHours, longitude) }
  }

  private mutating func append(_ point: Point, width: Double, _ longitude: Double) {
    times.append(SolarNight.solarHours(point.at, longitude: longitude) + width / 2)
    means.append(point.mean)
    lows.append(max(point.min, point.mean - Self.lowestBelowMean))
  }

  /// The value at a time; nil where nothing near it was measured.
  func value(at time: Double) -> Double? {
    let next = index(from: time)
    let before = next > 0 && time - times[next - 1] <= Self.maximumGapHours ? next - 1 : nil
    let after = next < times.count && times[next] - time <= Self.maximumGapHours ? next : nil
    guard let before, let after else { return (before ?? after).map { means[$0] } }
    let share = (time - times[before]) / (times[after] - times[before])
    return means[before] + share * (means[after] - means[before])
  }

  /// The lowest value between two times; nil unless most of the hours between them were measured.
  func low(_ from: Double, _ to: Double) -> Double? { extreme(from, to, lows, Swift.min) }
  func high(_ from: Double, _ to: Double) -> Double? { extreme(from, to, means, Swift.max) }

  private func extreme(
    _ from: Double, _ to: Double, _ values: [Double], _ better: (Double, Double) -> Double
  ) -> Double? {
    guard let first = value(at: from), let last = value(at: to) else { return nil }
    var (result, known, previous) = (better(first, last), 0.0, from)
    for index in index(from: from)..<index(from: to) {
      result = better(result, values[index])
      known += Swift.min(times[index] - previous, Self.maximumGapHours)
      previous = times[index]
    }
    known += Swift.min(to - previous, Self.maximumGapHours)
    return known >= Self.leastKnownShare * (to - from) ? result : nil
  }

  /// The first index whose time is not before `time`.
  private func index(from time: Double) -> Int {
    var (low, high) = (0, times.count)
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
