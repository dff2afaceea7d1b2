import JSON
import Values

/// The forecast of one station for the coming night.
package struct FrostStation {
  /// How a forecast was made.
  enum Method: String {
    case regression
    case lastNight = "last-night"
  }

  let series: SensorSeries
  let temperature: Double
  let humidity: Double?
  let dewPoint: Double?
  let hoursUntilMorning: Double
  let method: Method
  /// How many of its own nights the forecast rests on.
  let nights: Int
  package let forecast: Double
  /// The standard deviation of the forecast's error, in °C; zero for the last night's.
  let spread: Double
  /// How much warmer than frost a forecast may be and still be warned of, in °C.
  let caution: Double

  package var isFrost: Bool { forecast - caution <= FrostRule.frostCelsius }

  /// Forecasts from what the station has measured, with a humidity of about the same time; one wrong value changes
  /// nothing. Nil in the morning after a night that it has not measured.
  package init?(_ series: SensorSeries, humidity: SensorSeries?, longitude: Double) {
    let (series, humidity) = (series.credible, humidity?.credible)
    let (newest, relative) = (series.newest, humidity?.newest.mean)
    let night = SolarNight(at: newest.at, longitude: longitude)
    let nights = StationNights(series, humidity: humidity, longitude: longitude)
    // In the morning the last night says more of the next one than what is measured.
    let isMorning = night.hour > SolarNight.coldHours.upperBound
    let learnt = isMorning ? nil : nights.forecast(day: night.day, hour: night.hour)
    let last = nights.lastMinimum(day: isMorning ? night.day : night.day - 1)
    guard let forecast = learnt?.minimum ?? last else { return nil }
    self.series = series
    self.forecast = forecast
    self.humidity = relative
    temperature = newest.mean
    dewPoint = relative.flatMap { DewPoint.of(temperature: newest.mean, humidity: $0) }
    hoursUntilMorning = SolarNight.coldHours.upperBound + (isMorning ? 24 : 0) - night.hour
    method = learnt == nil ? .lastNight : .regression
    self.nights = learnt?.nights ?? 0
    spread = learnt?.spread ?? 0
    caution = Self.caution(night.hour) * spread
  }

  /// How many standard deviations colder than it says a forecast is taken to be. Covering plants for nothing costs less
  /// than losing them; in the afternoon the next hour tells more, and late in the evening most is known.
  private static func caution(_ hour: Double) -> Double {
    switch hour {
    case ..<15.5: -0.3
    case ..<16.5: 0.2
    case ..<18.5: 0.3
    default: 0.1
    }
  }

  // MARK: Telling

  func sentence(_ clock: GardenClock) -> String {
    var text = "\(series.deviceName) measures \(temperature.sentenceText()) °C"
    if let dewPoint { text += ", with a dew point of \(dewPoint.sentenceText()) °C" }
    text += " at \(clock.text(series.newest.at)). "
    switch method {
    case .lastNight: text += "The last night's minimum was \(forecast.sentenceText()) °C."
    case .regression:
      text += nights > 0 ? "By \(nights) of its own nights" : "By what nights are like elsewhere"
      text += ", this one's minimum will be \(forecast.sentenceText()) °C, "
      text += "give or take \(spread.sentenceText())."
    }
    return text
  }

  func write(_ json: inout JSONWriter) {
    json.member("deviceId", series.device)
    json.member("deviceName", series.deviceName)
    json.member("temperature", temperature.rounded(places: 2))
    json.member("humidity", humidity?.rounded(places: 2))
    json.member("dewPoint", dewPoint?.rounded(places: 2))
    json.member("hoursUntilMorning", hoursUntilMorning.rounded(places: 2))
    json.member("method", method.rawValue)
    json.member("nights", nights)
    json.member("forecastMinimum", forecast.rounded(places: 2))
    json.member("spread", spread.rounded(places: 2))
    json.member("measuredAt", series.newest.at)
  }
}
