import Values

/// A sensor of which nothing more comes although its device is heard of: a cut cable, a dead probe, or a clock so slow
/// that all it measures is of another day.
enum MissingSensor {
  /// What has ended for longer was taken away.
  static let longestHours = ToldFault.longestHours

  /// `longestSilence` is that of its device of late, in hours: some measure often and send once a day, and what was
  /// kept over an outage comes bit by bit.
  static func fault(_ series: SensorSeries, longestSilence: Double, now: Timestamp) -> SensorFault? {
    // Rain, and what sends when something happens, may well be without values.
    guard SensorCharacter(series.sensorType).varies, series.hours.count >= FaultFinder.fewestHours else { return nil }
    let hours = series.newest.at.hours(until: now)
    let usual = max(usualGap(series.hours), longestSilence)
    guard hours > Double(OnlineSpan.factor) * usual, hours <= longestHours else { return nil }
    return SensorFault(
      series: series, kind: .missing, point: series.newest, expected: series.newest.mean, hours: hours)
  }

  /// The longest time from one hour to the next with values, without outages: the longest one at least.
  private static func usualGap(_ hours: [Point]) -> Double {
    let gaps = zip(hours, hours.dropFirst()).map { $0.at.hours(until: $1.at) }.sorted()
    let left = max(1, Int(Double(gaps.count) * Comparison.outlierShare))
    return gaps[gaps.count - 1 - left]
  }
}
