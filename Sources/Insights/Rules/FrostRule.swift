import Agronomy
import Gardens
import Glibc
import JSON
import Values

/// Frost: how cold the coming night becomes.
///
/// In the evening and at night the air's own cooling is carried on. It slows down as the ground comes to balance with
/// the sky, by an exponential with a time constant of six hours; below the dew point it slows down threefold, since
/// settling water gives off its heat. By day the slope says nothing about the night: then the dew point itself is the
/// forecast, which a clear calm night comes close to; without humidity it is the last night's minimum.
enum FrostRule {
  /// What is looked at, in hours before now.
  static let windowHours: Int64 = 24
  /// Stations without a value of that many hours say nothing about now.
  static let maximumAgeHours = 3.0
  /// The time that the cooling rate is taken from.
  static let coolingHours = 3.0
  /// The shortest part of it that must be covered, and the fewest points.
  static let shortestCoolingHours = 1.0
  static let fewestCoolingPoints = 3
  /// The hour of local solar time around which nights are coldest, and the one at which evenings begin.
  static let coldestHour = 6.0
  static let eveningHour = 15.0
  static let coolingTimeConstantHours = 6.0
  static let dewSlowing = 3.0
  /// Air at two metres: at or below this plants freeze; at or below the other, the ground may.
  static let frostCelsius = 0.0
  static let groundFrostCelsius = 3.0

  /// How a forecast was made.
  enum Method: String {
    case cooling
    case dewPoint = "dew-point"
    case lastNight = "last-night"
  }

  /// What one station says.
  struct Station {
    let series: SensorSeries
    let temperature: Double
    let humidity: Double?
    let dewPoint: Double?
    /// In °C an hour, negative when it becomes colder; nil by day, or when it cannot be told.
    let coolingPerHour: Double?
    let hoursUntilColdest: Double
    let method: Method
    let forecast: Double
  }

  /// Nil when no station has measured the air's temperature lately.
  static func finding(_ observations: Observations) -> Finding? {
    let humidities = observations.of(.airHumidity)
    let stations = observations.of(.airTemperature)
      .filter { $0.newest.at.hours(until: observations.now) <= maximumAgeHours }
      .map { series in
        // Its own humidity, or that of a neighbour.
        let humidity = humidities.first { $0.device == series.device } ?? humidities.first
        return station(series, humidity: humidity, longitude: observations.longitude ?? 0)
      }
    guard let coldest = stations.min(by: { $0.forecast < $1.forecast }) else { return nil }
    let (severity, title): (Severity, String) =
      if coldest.forecast <= frostCelsius {
        (.warning, "Frost tonight")
      } else if coldest.forecast <= groundFrostCelsius {
        (.notice, "Ground frost is possible tonight")
      } else {
        (.info, "No frost tonight")
      }
    return Finding(severity, title, text(coldest)) { json in
      json.member("frostCelsius", frostCelsius)
      json.member("groundFrostCelsius", groundFrostCelsius)
      json.member("forecastMinimum", coldest.forecast.rounded(places: 2))
      json.key("stations")
      json.array { json in for station in stations { json.object { write(station, &$0) } } }
    }
  }

  static func station(_ series: SensorSeries, humidity: SensorSeries?, longitude: Double) -> Station {
    let newest = series.newest
    let relative = humidity.flatMap { humidity -> Double? in
      abs(humidity.newest.at.hours(until: newest.at)) <= maximumAgeHours ? humidity.newest.mean : nil
    }
    let dewPoint = relative.flatMap { DewPoint.of(temperature: newest.mean, humidity: $0) }
    let hour = solarHour(newest.at, longitude: longitude)
    let hours = (coldestHour - hour + 24).truncatingRemainder(dividingBy: 24)
    let isDay = hour >= coldestHour && hour < eveningHour
    let cooling = isDay ? nil : coolingRate(series)
    let method: Method = cooling != nil ? .cooling : dewPoint != nil ? .dewPoint : .lastNight
    let forecast =
      switch method {
      case .cooling: forecast(newest.mean, cooling: cooling!, hours: hours, dewPoint: dewPoint)
      case .dewPoint: min(newest.mean, dewPoint!)
      case .lastNight: series.points.map(\.min).min() ?? newest.mean
      }
    return Station(
      series: series, temperature: newest.mean, humidity: relative, dewPoint: dewPoint, coolingPerHour: cooling,
      hoursUntilColdest: hours, method: method, forecast: forecast)
  }

  /// The lowest temperature after so many hours of cooling.
  static func forecast(_ temperature: Double, cooling: Double, hours: Double, dewPoint: Double?) -> Double {
    let effective = coolingTimeConstantHours * (1 - exp(-hours / coolingTimeConstantHours))
    let lowest = temperature + min(cooling, 0) * effective
    guard let dewPoint, lowest < dewPoint else { return lowest }
    let start = min(temperature, dewPoint)
    return start + (lowest - start) / dewSlowing
  }

  /// The slope of the last hours; nil when too few of them were measured.
  private static func coolingRate(_ series: SensorSeries) -> Double? {
    let recent = series.points.drop { $0.at.hours(until: series.newest.at) > coolingHours }
    guard recent.count >= fewestCoolingPoints, recent.first!.at.hours(until: series.newest.at) >= shortestCoolingHours
    else { return nil }
    return Statistics.slopePerHour(recent)
  }

  /// The hour of the day by the mean sun, from 0 to 24.
  static func solarHour(_ moment: Timestamp, longitude: Double) -> Double {
    let day = 86_400_000.0
    let shifted = Double(moment.unixMilliseconds) + longitude / 360 * day
    let hour = shifted.truncatingRemainder(dividingBy: day) / Double(Timestamp.millisecondsPerHour)
    return hour < 0 ? hour + 24 : hour
  }

  private static func text(_ station: Station) -> String {
    var text = "\(station.series.deviceName) measures \(station.temperature.sentenceText()) °C"
    if let cooling = station.coolingPerHour {
      let change = abs(cooling).sentenceText()
      text += cooling < 0 ? ", cooling by \(change) °C an hour" : ", warming by \(change) °C an hour"
    }
    if let dewPoint = station.dewPoint { text += ", with a dew point of \(dewPoint.sentenceText()) °C" }
    let basis =
      switch station.method {
      case .cooling: "If it goes on like this"
      case .dewPoint: "On a clear, calm night near the dew point"
      case .lastNight: "By the last night's minimum"
      }
    return text + ". \(basis), the night's minimum will be about \(station.forecast.sentenceText()) °C."
  }

  private static func write(_ station: Station, _ json: inout JSONWriter) {
    json.member("deviceId", station.series.device)
    json.member("deviceName", station.series.deviceName)
    json.member("temperature", station.temperature.rounded(places: 2))
    json.member("humidity", station.humidity?.rounded(places: 2))
    json.member("dewPoint", station.dewPoint?.rounded(places: 2))
    json.member("coolingPerHour", station.coolingPerHour?.rounded(places: 3))
    json.member("hoursUntilColdest", station.hoursUntilColdest.rounded(places: 2))
    json.member("method", station.method.rawValue)
    json.member("forecastMinimum", station.forecast.rounded(places: 2))
    json.member("measuredAt", station.series.newest.at)
  }
}
