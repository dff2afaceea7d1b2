import Agronomy
import StationYears
import Values

/// How well the nights of a station's year are forecast, and the warnings that a grower gets.
struct FrostEvaluation {
  /// The bounds of the warnings at an hour of solar time.
  struct Promise {
    let hour: Double
    let detection: Double
    let falseAlarms: Double
    static let meanError = 2.5
    static let all = [
      Promise(hour: 16, detection: 0.80, falseAlarms: 0.35), Promise(hour: 18, detection: 0.85, falseAlarms: 0.30),
      Promise(hour: 22, detection: 0.90, falseAlarms: 0.15),
    ]
  }
  static let insightsBeyondFrostNights = 40
  /// The solar hour at which forecasts are repeated with a wrong value, how wrong that is, and the number of nights in
  /// a year whose warning it may change.
  static let spikedHour = 22.0
  static let spikeCelsius = 30.0
  static let nightsTurned = 2
  /// The hours of the passes: one an hour while anybody is warned.
  static let hours = Array(stride(from: 15.0, through: 30.0, by: 1))

  /// The warnings, and their outcomes.
  struct Score {
    var hits = 0, misses = 0, falseAlarms = 0, nights = 0
    var errors = 0.0

    mutating func add(_ isWarned: Bool, _ isFrost: Bool, error: Double) {
      if isWarned, isFrost { hits += 1 }
      if !isWarned, isFrost { misses += 1 }
      if isWarned, !isFrost { falseAlarms += 1 }
      nights += 1
      errors += abs(error)
    }

    var detection: Double { Double(hits) / Double(max(1, hits + misses)) }
    var falseAlarmRatio: Double { Double(falseAlarms) / Double(max(1, hits + falseAlarms)) }
    /// Hits as a share of all nights that were warned of or should have been (critical success index).
    var success: Double { Double(hits) / Double(max(1, hits + misses + falseAlarms)) }
    var meanError: Double { errors / Double(max(1, nights)) }
  }

  let station: StationYear
  private(set) var scores: [Double: Score] = [:]
  private(set) var persistence = Score()
  private(set) var frostNights = 0
  private(set) var insights = 0
  /// The most insights of one night: all but the first are changes of mind.
  private(set) var mostOfANight = 0
  /// Nights for which one wrong value makes or removes a warning.
  private(set) var turned = 0

  init(_ station: StationYear, seed: UInt64) {
    self.station = station
    let garden = YearGarden(station, seed: seed)
    let (air, humidity) = (garden.sensors[0], garden.sensors[1])
    var said: [EarlierFinding] = []
    let truth = Self.minima(station, air)
    for day in truth.indices.dropFirst(2) {
      guard let minimum = truth[day], let last = truth[day - 1] else { continue }
      let isFrost = minimum <= FrostRule.frostCelsius
      if isFrost { frostNights += 1 }
      persistence.add(last <= FrostRule.frostCelsius, isFrost, error: last - minimum)
      var ofThisNight = 0
      for hour in Self.hours {
        guard let step = Self.step(station, day: day, hour: hour) else { continue }
        let observations = Self.observations(station, air, humidity, step, said)
        guard let finding = FrostRule.finding(observations) else { continue }
        if Promise.all.contains(where: { $0.hour == hour }),
          let fresh = FrostStation(
            observations.series[0], humidity: observations.series[1], longitude: station.longitude)
        {
          scores[hour, default: Score()].add(fresh.isFrost, isFrost, error: fresh.forecast - minimum)
          if hour == Self.spikedHour {
            let spiked = FrostStation(
              Self.spiked(observations.series[0], isWarm: day % 2 == 0), humidity: observations.series[1],
              longitude: station.longitude)
            turned += spiked?.isFrost == fresh.isFrost ? 0 : 1
          }
        }
        if FrostRule.isNews(finding, observations) {
          said.append(EarlierFinding(at: observations.now, finding))
          ofThisNight += 1
        }
      }
      insights += ofThisNight
      mostOfANight = max(mostOfANight, ofThisNight)
    }
  }

  static func observations(
    _ station: StationYear, _ air: YearSensor, _ humidity: YearSensor, _ step: Int, _ said: [EarlierFinding]
  ) -> Observations {
    let (hours, days) = (Int(FrostRule.windowHours), Int(FrostRule.learntDays))
    return Observations(
      series: [air, humidity].map { $0.series(at: step, hours: hours, days: days) }, now: station.time(step),
      longitude: station.longitude,
      said: said.filter { $0.at.advanced(byDays: FrostRule.memoryDays) >= station.time(step) })
  }

  /// The series with one wrong value: far too warm at 13 h solar time, or far too cold an hour ago.
  private static func spiked(_ series: SensorSeries, isWarm: Bool) -> SensorSeries {
    var points = series.points
    let index = points.count - 1 - (isWarm ? Int(spikedHour) - 13 : 1) * StationYear.stepsPerHour
    points[index] = Point(points[index].at, points[index].mean + (isWarm ? spikeCelsius : -spikeCelsius))
    return SensorSeries(
      device: series.device, deviceName: series.deviceName, sensorType: series.sensorType, points: points,
      hours: series.hours)
  }

  /// The step at an hour of a night, counted from the first of the year; nil after the end of the year.
  static func step(_ station: StationYear, day: Int, hour: Double) -> Int? {
    let shift = station.longitude / 15
    let step = Int(((Double(day) * 24 + hour - shift) * Double(StationYear.stepsPerHour)).rounded())
    return (0..<StationYear.steps).contains(step) ? step : nil
  }

  /// The lowest value of the sensor between 18 h and 8 h solar time.
  private static func minima(_ station: StationYear, _ air: YearSensor) -> [Double?] {
    (0..<365).map { day in
      guard let from = step(station, day: day, hour: 18), let to = step(station, day: day, hour: 32) else { return nil }
      return air.values[from...to].min()
    }
  }

  var row: [Figure] {
    var row = [
      Figure(station.name), Figure(station.isFitted ? "fitted" : "judged"), Figure("\(frostNights)"),
    ]
    for promise in Promise.all {
      let score = scores[promise.hour] ?? Score()
      row += [
        .share(score.detection, atLeast: promise.detection), .share(score.falseAlarmRatio, atMost: promise.falseAlarms),
        Figure(
          Figure.digits(score.meanError),
          score.meanError <= Promise.meanError && score.meanError < persistence.meanError),
        Figure(Figure.digits(score.success), score.success > persistence.success),
      ]
    }
    row += [
      Figure(Figure.digits(persistence.detection)), Figure(Figure.digits(persistence.falseAlarmRatio)),
      Figure(Figure.digits(persistence.meanError)), Figure(Figure.digits(persistence.success)),
      .count(insights - frostNights, atMost: Self.insightsBeyondFrostNights), .count(mostOfANight - 1, atMost: 1),
      .count(turned, atMost: Self.nightsTurned),
    ]
    return row
  }

  static var head: [String] {
    ["Station", "Rules", "Frost nights"]
      + Promise.all.flatMap { ["\(Int($0.hour)) h: found", "false", "error", "success"] }
      + ["Last night's: found", "false", "error", "success", "Insights beyond", "Changes", "Turned by a spike"]
  }
}

extension Timestamp {
  func advanced(byDays days: Double) -> Timestamp { advanced(byMilliseconds: Int64(days * 86_400_000)) }
}
