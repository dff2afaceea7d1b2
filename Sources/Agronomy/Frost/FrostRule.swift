import JSON
import Values

/// Frost: how cold the night becomes, by a regression that learns from the garden's own nights; see `FrostPrior`.
///
/// A warning that was given stands until the morning: plants that were covered for it stay covered.
package enum FrostRule {
  /// How far back points are looked at, in hours, and nights are learnt from, in days.
  package static let windowHours: Int64 = 48
  package static let learntDays = Int64(StationNights.learnt) + 2
  /// A station without a value for longer, in hours, says nothing about now.
  package static let maximumAgeHours = 3.0
  /// The most stations of a garden that are looked at.
  package static let maximumStations = 20
  /// The air at two metres, in °C: at or below the first plants freeze; at or below the second the ground may.
  package static let frostCelsius = 0.0
  static let groundFrostCelsius = 3.0
  /// After how many days without a word of frost a ground frost is news again: growers know what season it is.
  static let quietDays = 14.0
  /// How many days back the rule has to know what was said.
  package static let memoryDays = 15.0

  /// Returns the finding; nil when no station has measured the air's temperature lately or, in the morning, in the last
  /// night.
  package static func finding(_ observations: Observations) -> Finding? {
    let stations = stations(observations)
    guard let coldest = stations.min(by: { $0.forecast - $0.caution < $1.forecast - $1.caution }) else { return nil }
    let fresh: Severity =
      coldest.isFrost ? .warning : coldest.forecast <= groundFrostCelsius ? .notice : .info
    let standing = tonight(observations)
    let severity = max(fresh, worst(standing) ?? .info)
    let title =
      switch severity {
      case .warning: "Frost tonight"
      case .notice: "Ground frost is possible tonight"
      case .info: "No frost tonight"
      }
    let since = severity > fresh ? standing.filter { $0.severity == severity }.map(\.at).min() : nil
    return Finding(
      severity, title, text(coldest, since, observations), devicesLeftOut: observations.devicesLeftOut
    ) { json in
      json.member("frostCelsius", frostCelsius)
      json.member("groundFrostCelsius", groundFrostCelsius)
      json.member("forecastMinimum", coldest.forecast.rounded(places: 2))
      json.member("cautionCelsius", coldest.caution.rounded(places: 2))
      json.member("standsSince", since)
      json.key("stations")
      json.array { json in for station in stations { json.object(station.write) } }
    }
  }

  /// Whether it is time to warn of a night.
  package static func isDue(at moment: Timestamp, longitude: Double) -> Bool {
    SolarNight(at: moment, longitude: longitude).isWarned
  }

  /// Whether a finding is to be told without being asked for: once a night, and again only when it becomes worse.
  package static func isNews(_ finding: Finding, _ observations: Observations) -> Bool {
    guard isDue(at: observations.now, longitude: observations.longitude), finding.severity > .info else { return false }
    // That there will be no frost is not told.
    func isWord(_ said: EarlierFinding) -> Bool { said.isTold && said.severity > .info }
    if let told = worst(tonight(observations).filter(isWord)) { return finding.severity > told }
    let isQuiet = observations.said.filter(isWord).allSatisfy {
      $0.at.hours(until: observations.now) > quietDays * 24
    }
    return finding.severity == .warning || isQuiet
  }

  /// What was said of the present night, also to users who asked.
  private static func tonight(_ observations: Observations) -> [EarlierFinding] {
    let longitude = observations.longitude
    let night = SolarNight(at: observations.now, longitude: longitude)
    guard night.isWarned else { return [] }
    return observations.said.filter {
      let other = SolarNight(at: $0.at, longitude: longitude)
      return other.day == night.day && other.isWarned
    }
  }

  /// The worst severity that was said; nil when nothing was.
  private static func worst(_ said: [EarlierFinding]) -> Severity? { said.map(\.severity).max() }

  static func stations(_ observations: Observations) -> [FrostStation] {
    let humidities = observations.of(.airHumidity)
    return observations.of(.airTemperature)
      .filter { $0.newest.at.hours(until: observations.now) <= maximumAgeHours }
      .prefix(maximumStations)
      .compactMap { series in
        // Its own humidity, or a neighbour's, if that was measured lately too.
        let measured = humidities.filter { abs($0.newest.at.hours(until: series.newest.at)) <= maximumAgeHours }
        let humidity = measured.first { $0.device == series.device } ?? measured.first
        return FrostStation(series, humidity: humidity, longitude: observations.longitude)
      }
  }

  /// `since` is when the standing warning was given, where that is worse than the present finding.
  private static func text(_ station: FrostStation, _ since: Timestamp?, _ observations: Observations) -> String {
    let clock = observations.clock(of: station.series.device)
    let text = station.sentence(clock)
    return since.map { "\(text) The warning of \(clock.text($0)) stands until the morning." } ?? text
  }
}
