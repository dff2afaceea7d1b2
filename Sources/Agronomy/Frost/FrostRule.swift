import JSON
import Values

/// Frost: how cold the night becomes, by a regression that learns from the garden's own nights; see `FrostPrior`.
///
/// A warning that was given stands until the morning: plants that were covered for it stay covered.
package enum FrostRule {
  /// What is looked at, in hours before now, and the days before that whose nights are learnt from.
  package static let windowHours: Int64 = 48
  package static let learntDays = Int64(StationNights.learnt) + 2
  /// Stations without a value of that many hours say nothing about now.
  package static let maximumAgeHours = 3.0
  /// The most stations of a garden that are looked at.
  package static let maximumStations = 20
  /// Air at two metres: at or below this plants freeze; at or below the other, the ground may.
  package static let frostCelsius = 0.0
  static let groundFrostCelsius = 3.0
  /// After how many days without a word of frost the ground's is news again: growers know what season it is.
  static let quietDays = 14.0
  /// For how many days it has to be known what was said.
  package static let memoryDays = 15.0

  /// How a forecast was made.
  enum Method: String {
    case regression
    case lastNight = "last-night"
  }

  /// What one station says.
  package struct Station {
    let series: SensorSeries
    let temperature: Double
    let humidity: Double?
    let dewPoint: Double?
    let hoursUntilMorning: Double
    let method: Method
    /// How many of the garden's own nights it rests on.
    let nights: Int
    package let forecast: Double
    /// The standard deviation of what becomes of it; zero for the last night's.
    let spread: Double
    /// How much warmer than frost a forecast may be to be warned of.
    let caution: Double

    package var isFrost: Bool { forecast - caution <= FrostRule.frostCelsius }
  }

  /// Nil when no station has measured the air's temperature lately and, in the morning, in the last night.
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
      json.array { json in for station in stations { json.object { write(station, &$0) } } }
    }
  }

  /// Whether it is time to warn of a night.
  package static func isDue(at moment: Timestamp, longitude: Double) -> Bool {
    SolarNight(at: moment, longitude: longitude).isWarned
  }

  /// Whether a finding is to be told without being asked for: once a night, and again only when it becomes worse.
  package static func isNews(_ finding: Finding, _ observations: Observations) -> Bool {
    guard isDue(at: observations.now, longitude: observations.longitude), finding.severity > .info else { return false }
    // That there will be no frost is nothing to tell.
    func isWord(_ said: Said) -> Bool { said.isTold && said.severity > .info }
    if let told = worst(tonight(observations).filter(isWord)) { return finding.severity > told }
    let isQuiet = observations.said.filter(isWord).allSatisfy {
      $0.at.hours(until: observations.now) > quietDays * 24
    }
    return finding.severity == .warning || isQuiet
  }

  /// What was said of the present night, also to those who asked.
  private static func tonight(_ observations: Observations) -> [Said] {
    let longitude = observations.longitude
    let night = SolarNight(at: observations.now, longitude: longitude)
    guard night.isWarned else { return [] }
    return observations.said.filter {
      let other = SolarNight(at: $0.at, longitude: longitude)
      return other.day == night.day && other.isWarned
    }
  }

  /// The worst of what was said; nil when nothing was.
  private static func worst(_ said: [Said]) -> Severity? { said.map(\.severity).max() }

  static func stations(_ observations: Observations) -> [Station] {
    let humidities = observations.of(.airHumidity)
    return observations.of(.airTemperature)
      .filter { $0.newest.at.hours(until: observations.now) <= maximumAgeHours }
      .prefix(maximumStations)
      .compactMap { series in
        // Its own humidity, or that of a neighbour: one that is measured, too.
        let measured = humidities.filter { abs($0.newest.at.hours(until: series.newest.at)) <= maximumAgeHours }
        let humidity = measured.first { $0.device == series.device } ?? measured.first
        return station(series, humidity: humidity, longitude: observations.longitude)
      }
  }

  /// What a station says by what it has measured, with a humidity of about the same time: one wrong value moves
  /// nothing. Nil in the morning after a night that it has not measured.
  package static func station(_ series: SensorSeries, humidity: SensorSeries?, longitude: Double) -> Station? {
    let (series, humidity) = (series.credible, humidity?.credible)
    let (newest, relative) = (series.newest, humidity?.newest.mean)
    let night = SolarNight(at: newest.at, longitude: longitude)
    let nights = StationNights(series, humidity: humidity, longitude: longitude)
    // In the morning the last night says more of the next one than what is measured.
    let isMorning = night.hour > SolarNight.coldHours.upperBound
    let learnt = isMorning ? nil : nights.forecast(day: night.day, hour: night.hour)
    let last = nights.lastMinimum(day: isMorning ? night.day : night.day - 1)
    guard let forecast = learnt?.minimum ?? last else { return nil }
    return Station(
      series: series, temperature: newest.mean, humidity: relative,
      dewPoint: relative.flatMap { DewPoint.of(temperature: newest.mean, humidity: $0) },
      hoursUntilMorning: SolarNight.coldHours.upperBound + (isMorning ? 24 : 0) - night.hour,
      method: learnt == nil ? .lastNight : .regression, nights: learnt?.nights ?? 0,
      forecast: forecast, spread: learnt?.spread ?? 0,
      caution: caution(night.hour) * (learnt?.spread ?? 0))
  }

  /// By how many standard deviations a forecast is taken for colder than it says. To cover plants for nothing costs
  /// less than to lose them; in the afternoon an hour more tells more, and late in the evening most is known.
  private static func caution(_ hour: Double) -> Double {
    switch hour {
    case ..<15.5: -0.3
    case ..<16.5: 0.2
    case ..<18.5: 0.3
    default: 0.1
    }
  }

  /// `since` is when what stands was said, where that is worse than what is known by now.
  private static func text(_ station: Station, _ since: Timestamp?, _ observations: Observations) -> String {
    let clock = observations.clock(of: station.series.device)
    var text = "\(station.series.deviceName) measures \(station.temperature.sentenceText()) °C"
    if let dewPoint = station.dewPoint { text += ", with a dew point of \(dewPoint.sentenceText()) °C" }
    text += " at \(clock.text(station.series.newest.at)). "
    switch station.method {
    case .lastNight: text += "The last night's minimum was \(station.forecast.sentenceText()) °C."
    case .regression:
      text += station.nights > 0 ? "By \(station.nights) of its own nights" : "By what nights are like elsewhere"
      text += ", this one's minimum will be \(station.forecast.sentenceText()) °C, "
      text += "give or take \(station.spread.sentenceText())."
    }
    return since.map { "\(text) The warning of \(clock.text($0)) stands until the morning." } ?? text
  }

  private static func write(_ station: Station, _ json: inout JSONWriter) {
    json.member("deviceId", station.series.device)
    json.member("deviceName", station.series.deviceName)
    json.member("temperature", station.temperature.rounded(places: 2))
    json.member("humidity", station.humidity?.rounded(places: 2))
    json.member("dewPoint", station.dewPoint?.rounded(places: 2))
    json.member("hoursUntilMorning", station.hoursUntilMorning.rounded(places: 2))
    json.member("method", station.method.rawValue)
    json.member("nights", station.nights)
    json.member("forecastMinimum", station.forecast.rounded(places: 2))
    json.member("spread", station.spread.rounded(places: 2))
    json.member("measuredAt", station.series.newest.at)
  }
}
