import Agronomy
import Gardens
import JSON
import Values

/// Anomalies: what a sensor measures that does not fit the same hour of recent days, and probes that fell silent.
///
/// The test is robust: median and median deviation, which the outliers themselves do not move (Iglewicz and Hoaglin,
/// 1993). A sensor that is too young for that is held against its own last day.
enum AnomalyRule {
  /// How many days before its newest value a sensor is held against.
  static let baselineDays: Int64 = 14
  /// The width of the hour that is compared.
  static let hour = 1.0
  /// What must be known of the same hour: on so many days, and so many points.
  static let fewestDays = 3
  static let fewestDayPoints = 8
  /// Without that, what must be known of the last day.
  static let fewestRecentPoints = 12
  /// From how many deviations on a value is an outlier, and from how many on it is a warning.
  static let outlierScore = 3.5
  static let warningScore = 7.0
  /// What makes a median deviation comparable with a standard deviation.
  static let deviationScale = 1.4826
  /// A device without any value for so long is silent; one that is silent for longer than the other was taken away.
  static let silentHours = 12.0

  /// What one sensor says.
  struct Verdict {
    let series: SensorSeries
    /// The value of the last hour that fits least.
    let point: Point
    let median: Double
    let deviation: Double
    /// How many deviations it is away from the median, with its sign.
    let score: Double
    let baselinePoints: Int
    /// Days that the baseline is made of; 0 when it is the last day.
    let baselineDays: Int

    var isOutlier: Bool { abs(score) >= AnomalyRule.outlierScore }
  }

  /// Nil when no sensor can be judged and no device is silent.
  static func finding(_ observations: Observations) -> Finding? {
    let silent = silentDevices(observations)
    let verdicts = observations.series
      .filter { series in !silent.contains { $0.device == series.device } }
      .compactMap(verdict)
    guard !verdicts.isEmpty || !silent.isEmpty else { return nil }
    let outliers = verdicts.filter(\.isOutlier).sorted { abs($0.score) > abs($1.score) }
    let severity: Severity =
      if let worst = outliers.first, abs(worst.score) >= warningScore {
        .warning
      } else {
        outliers.isEmpty && silent.isEmpty ? .info : .notice
      }
    return Finding(severity, title(outliers, silent), text(outliers, silent, observations, verdicts.count)) { json in
      json.member("outlierScore", outlierScore)
      json.member("sensors", verdicts.count)
      json.key("outliers")
      json.array { json in for verdict in outliers { json.object { write(verdict, &$0) } } }
      json.key("silent")
      json.array { json in
        for series in silent {
          json.object { json in
            json.member("deviceId", series.device)
            json.member("deviceName", series.deviceName)
            json.member("lastMeasuredAt", series.newest.at)
          }
        }
      }
    }
  }

  static func verdict(_ series: SensorSeries) -> Verdict? {
    let newest = series.newest.at
    var (fresh, sameHour, recent): ([Point], [Point], [Point]) = ([], [], [])
    var days: Set<Int64> = []
    for point in series.points {
      let age = point.at.hours(until: newest)
      if age < hour {
        fresh.append(point)
      } else if age.truncatingRemainder(dividingBy: 24) < hour {
        sameHour.append(point)
        days.insert(Int64(age / 24))
      }
      if age >= hour, age <= 24 { recent.append(point) }
    }
    let hasDays = days.count >= fewestDays && sameHour.count >= fewestDayPoints
    guard hasDays || recent.count >= fewestRecentPoints else { return nil }
    let baseline = (hasDays ? sameHour : recent).map(\.mean)
    guard let median = Statistics.median(baseline), let spread = Statistics.medianDeviation(baseline) else {
      return nil
    }
    let deviation = max(spread * deviationScale, noise(series.sensorType, median))
    guard let point = fresh.max(by: { abs($0.mean - median) < abs($1.mean - median) }) else { return nil }
    return Verdict(
      series: series, point: point, median: median, deviation: deviation, score: (point.mean - median) / deviation,
      baselinePoints: baseline.count, baselineDays: hasDays ? days.count : 0)
  }

  /// The newest series of each device that has said nothing for too long.
  private static func silentDevices(_ observations: Observations) -> [SensorSeries] {
    var newest: [Identifier: SensorSeries] = [:]
    for series in observations.series where series.newest.at > newest[series.device]?.newest.at ?? .distantPast {
      newest[series.device] = series
    }
    return newest.values
      .filter { $0.newest.at.hours(until: observations.now) >= silentHours }
      .sorted { ($0.deviceName, $0.device) < ($1.deviceName, $1.device) }
  }

  /// The deviation that any sensor of a type shows without anything being wrong.
  private static func noise(_ sensorType: String, _ median: Double) -> Double {
    switch KnownSensor(rawValue: sensorType) {
    case .soilMoisture, .battery: 1
    case .soilTemperature, .airTemperature, .pressure, .windSpeed, .rain: 0.5
    case .airHumidity: 2
    case .light: max(50, abs(median) / 20)
    case .ph: 0.1
    case .conductivity: 0.05
    case nil: max(abs(median) / 50, 1e-9)
    }
  }

  private static func title(_ outliers: [Verdict], _ silent: [SensorSeries]) -> String {
    let strange = outliers.map { "\($0.series.sensorType) of \($0.series.deviceName)" }.sorted()
    switch (strange.isEmpty, silent.isEmpty) {
    case (true, true): return "Nothing unusual"
    case (false, true): return "Unusual: \(Finding.list(strange))"
    case (true, false): return "Silent: \(Finding.list(silent.map(\.deviceName)))"
    case (false, false):
      return "Unusual: \(Finding.list(strange)); silent: \(Finding.list(silent.map(\.deviceName)))"
    }
  }

  private static func text(
    _ outliers: [Verdict], _ silent: [SensorSeries], _ observations: Observations, _ judged: Int
  ) -> String {
    var sentences = outliers.prefix(Finding.maximumNames).map(sentence)
    sentences += silent.prefix(Finding.maximumNames).map { series in
      let hours = series.newest.at.hours(until: observations.now).sentenceText(places: 0)
      return "\(series.deviceName) has been silent for \(hours) hours, since \(series.newest.at.sentenceText)."
    }
    if sentences.isEmpty {
      return judged == 1
        ? "The sensor measures what it usually does at this hour."
        : "All \(judged) sensors measure what they usually do at this hour."
    }
    return sentences.joined(separator: " ")
  }

  private static func sentence(_ verdict: Verdict) -> String {
    let series = verdict.series
    let basis =
      verdict.baselineDays > 0
      ? "at this hour of the last \(verdict.baselineDays) days" : "over the last day"
    return "\(series.deviceName) measured \(series.sensorType) of \(verdict.point.mean.sentenceText(places: 2))"
      + "\(series.unit) at \(verdict.point.at.sentenceText); \(basis) it was about "
      + "\(verdict.median.sentenceText(places: 2))\(series.unit) "
      + "(\(abs(verdict.score).sentenceText()) deviations away)."
  }

  private static func write(_ verdict: Verdict, _ json: inout JSONWriter) {
    json.member("deviceId", verdict.series.device)
    json.member("deviceName", verdict.series.deviceName)
    json.member("sensorType", verdict.series.sensorType)
    json.member("value", verdict.point.mean.rounded(places: 3))
    json.member("measuredAt", verdict.point.at)
    json.member("median", verdict.median.rounded(places: 3))
    json.member("deviation", verdict.deviation.rounded(places: 4))
    json.member("score", verdict.score.rounded(places: 2))
    json.member("baselinePoints", verdict.baselinePoints)
    json.member("baselineDays", verdict.baselineDays)
  }
}

extension Timestamp {
  fileprivate static let distantPast = Timestamp(unixMilliseconds: .min / 2)
}
