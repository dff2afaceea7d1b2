import Values

/// A sensor that sends nothing more although its device is heard of: a cut cable, a dead probe, or a clock so slow that
/// all it measures is of another day.
enum MissingSensor {
  /// A sensor that ended longer ago, in hours, counts as taken away.
  static let longestHours = ToldFault.longestHours

  /// Returns the fault of a sensor that is missing. `longestSilence` is the longest recent one of its device, in hours:
  /// some measure often and send once a day, and what was kept during an outage comes bit by bit.
  static func fault(_ series: SensorSeries, longestSilence: Double, now: Timestamp) -> SensorFault? {
    // Rain gauges, and sensors that send when something happens, may well be without values.
    guard SensorCharacter(series.sensorType).varies, series.hours.count >= FaultFinder.fewestHours else { return nil }
    let hours = series.newest.at.hours(until: now)
    let usual = max(usualGap(series.hours), longestSilence)
    guard hours > Double(OnlineSpan.factor) * usual, hours <= longestHours else { return nil }
    return SensorFault(
      series: series, kind: .missing, point: series.newest, expected: series.newest.mean, hours: hours)
  }

  /// The longest gap between hours with values, without outages: at least the longest one counts as an outage.
  private static func usualGap(_ hours: [Point]) -> Double {
    let gaps = zip(hours, hours.dropFirst()).map { $0.at.hours(until: $1.at) }.sorted()
    let left = max(1, Int(Double(gaps.count) * Comparison.outlierShare))
    return gaps[gaps.count - 1 - left]
  }
}
