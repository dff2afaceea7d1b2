import Glibc
import JSON
import TestSupport
import Testing
import Values

@testable import Agronomy

@Suite("The rule for frost")
struct FrostRuleTests {
  /// A temperature that is highest at 14 h and lowest at 2 h by the sun: `minimum`, in other nights one or two degrees
  /// more.
  private static func temperature(_ moment: Timestamp, minimum: Double) -> Double {
    let hours = SolarNight.solarHours(moment, longitude: 0)
    let night = Int(((hours - 14) / 24).rounded(.down))
    let low = minimum + Double(night % 3)
    return low + 8 * (1 + cos(2 * .pi * (hours - 14) / 24))
  }

  /// The air temperature of a garden that has measured such nights for `days`.
  private static func air(days: Int, minimum: Double, now: Timestamp = RulePlot.evening) -> SensorSeries {
    func value(_ hoursAgo: Double) -> Double { temperature(now.advanced(byHours: -hoursAgo), minimum: minimum) }
    return RulePlot.series(
      "air_temperature", RulePlot.tens(min(48, days * 24), value), now: now,
      hours: RulePlot.hourly(days * 24, value))
  }

  private static func told(_ severity: Severity, hoursAgo: Double) -> EarlierFinding {
    EarlierFinding(at: RulePlot.evening.advanced(byHours: -hoursAgo), severity: severity, evidence: [], isTold: true)
  }

  private static func finding(
    _ series: [SensorSeries], now: Timestamp = RulePlot.evening, said: [EarlierFinding] = []
  ) throws -> (finding: Finding, isNews: Bool) {
    let observations = Observations(series: series, now: now, said: said)
    let finding = try #require(FrostRule.finding(observations))
    return (finding, FrostRule.isNews(finding, observations))
  }

  @Test("learns how cold a garden's own nights become")
  func learns() throws {
    for minimum in [-4.0, 3.0] {
      let station = try #require(FrostStation(Self.air(days: 50, minimum: minimum), humidity: nil, longitude: 0))
      let day = Int(((SolarNight.solarHours(RulePlot.evening, longitude: 0) - 14) / 24).rounded(.down))
      #expect(abs(station.forecast - minimum - Double(day % 3)) < 0.7)
      #expect(station.nights > 40)
      #expect(station.isFrost == (minimum < 0))
    }
  }

  @Test("forecasts a garden's first night by what nights are like elsewhere, and says so")
  func young() throws {
    let air = RulePlot.series("air_temperature", RulePlot.tens(5) { 3 + 1.2 * $0 })
    let (finding, isNews) = try Self.finding([air, RulePlot.series("air_humidity", RulePlot.tens(5) { _ in 60 })])
    #expect(finding.severity == .warning && isNews)
    #expect(finding.title == "Frost tonight")
    #expect(finding.text.contains("By what nights are like elsewhere"))
    let station = try #require(try JSONReader.parse(finding.evidence)["stations"]?.elements?.first)
    #expect(station["nights"]?.number == 0 && station["method"]?.text == "regression")
    #expect(station["dewPoint"]?.number == -4.02)
  }

  /// `series` with `values` in place of the points that were measured as many hours ago.
  private static func wrong(_ series: SensorSeries, _ values: [(hoursAgo: Double, value: Double)]) -> SensorSeries {
    var points = series.points
    for (hoursAgo, value) in values {
      let index = points.count - 1 - Int((hoursAgo * 6).rounded())
      points[index] = Point(points[index].at, value)
    }
    return SensorSeries(
      device: series.device, deviceName: series.deviceName, sensorType: series.sensorType, points: points,
      hours: series.hours)
  }

  @Test("is not moved by a single wrong value", arguments: [45.0, 60, -30])
  func spikes(value: Double) throws {
    let dusk = try #require(Timestamp("2026-11-21T18:30:00Z"))
    let frosty = Self.air(days: 9, minimum: -4, now: dusk)
    let right = try #require(FrostStation(frosty, humidity: nil, longitude: 0))
    for hoursAgo in [5.5, 1, 1.0 / 6, 0] {
      let spike = Self.wrong(frosty, [(hoursAgo, value)])
      #expect(try Self.finding([spike], now: dusk).finding.title == "Frost tonight")
      let station = try #require(FrostStation(spike, humidity: nil, longitude: 0))
      #expect(abs(station.forecast - right.forecast) < 0.3)
    }
    let humidity = RulePlot.series("air_humidity", RulePlot.tens(48) { _ in 60 }, now: dusk)
    let dry = FrostStation(frosty, humidity: Self.wrong(humidity, [(0, 2)]), longitude: 0)
    #expect(dry?.humidity == 60)
  }

  @Test("is not moved by a single wrong value in an evening that it learns from", arguments: [-36.0, 50])
  func learntSpikes(excess: Double) throws {
    let frosty = Self.air(days: 9, minimum: -4)
    let right = try #require(FrostStation(frosty, humidity: nil, longitude: 0))
    for readings in [1.0, 6, 60] {
      var hours = frosty.hours
      let index = hours.count - 1 - 72
      let mean = hours[index].mean + excess / readings
      hours[index] = Point(
        at: hours[index].at, mean: mean, min: min(mean, hours[index].mean + excess),
        max: max(mean, hours[index].mean + excess),
        count: Int64(readings))
      let spike = SensorSeries(
        device: frosty.device, deviceName: frosty.deviceName, sensorType: frosty.sensorType, points: frosty.points,
        hours: hours)
      let station = try #require(FrostStation(spike, humidity: nil, longitude: 0))
      #expect(abs(station.forecast - right.forecast) < 0.1)
    }
  }

  @Test("believes a value far below all others only once a second one confirms it")
  func confirmed() throws {
    let summer = Self.air(days: 9, minimum: 15)
    for hoursAgo in [7.0 / 6, 1.0 / 6, 0] {
      #expect(try Self.finding([Self.wrong(summer, [(hoursAgo, -10)])]).finding.title == "No frost tonight")
    }
    let fallen = try Self.finding([Self.wrong(summer, [(1.0 / 6, -1), (0, -1.2)])])
    #expect(fallen.finding.title == "Frost tonight")
  }

  @Test("uses a hygrometer that still measures in place of one that has ended, even the station's own")
  func hygrometers() throws {
    let air = RulePlot.series("air_temperature", RulePlot.tens(5) { 3 + 1.2 * $0 })
    func hygrometer(_ number: UInt64, endedHoursAgo hours: Double, percent: Double) -> SensorSeries {
      RulePlot.series(
        "air_humidity", RulePlot.tens(5) { _ in percent }, now: RulePlot.evening.advanced(byHours: -hours),
        device: RulePlot.device(number))
    }
    let (own, other, fresh) = (
      hygrometer(1, endedHoursAgo: 20, percent: 10), hygrometer(2, endedHoursAgo: 20, percent: 20),
      hygrometer(3, endedHoursAgo: 0, percent: 60)
    )
    for humidities in [[other, fresh], [own, fresh], [own, other, fresh]] {
      let stations = FrostRule.stations(Observations(series: [air] + humidities, now: RulePlot.evening))
      #expect(stations.map(\.humidity) == [60])
    }
    let dead = FrostRule.stations(Observations(series: [air, own, other], now: RulePlot.evening))
    #expect(dead.map(\.humidity) == [nil])
  }

  @Test("lets a warning stand until the morning, and makes news of it once a night")
  func stands() throws {
    let frost = Self.air(days: 30, minimum: -4)
    let before = Self.told(.warning, hoursAgo: 3)
    #expect(try Self.finding([frost]).isNews)
    #expect(try !Self.finding([frost], said: [before]).isNews)
    let mild = try Self.finding([Self.air(days: 30, minimum: 6)], said: [before])
    #expect(mild.finding.severity == .warning && !mild.isNews)
    #expect(mild.finding.text.hasSuffix(" The warning of 2026-11-21 17:00 UTC stands until the morning."))
    #expect(try !Self.finding([frost], said: [before]).finding.text.contains("stands"))
    // A warning of the night before does not stand.
    let yesterday = Self.told(.warning, hoursAgo: 22)
    #expect(try Self.finding([frost], said: [yesterday]).isNews)
    #expect(try Self.finding([Self.air(days: 30, minimum: 6)], said: [yesterday]).finding.severity == .info)
  }

  @Test("makes news of ground frost only a fortnight after the last news of frost, and of worse at once")
  func ground() throws {
    let cold = Self.air(days: 30, minimum: 1.2)
    let (finding, isNews) = try Self.finding([cold])
    #expect(finding.severity == .notice && isNews)
    let week = Self.told(.notice, hoursAgo: 7 * 24)
    // The ground is news again after a fortnight, which is 336 hours.
    for (hours, isNews) in [(168.0, false), (335.0, false), (337.0, true)] {
      #expect(try Self.finding([cold], said: [Self.told(.notice, hoursAgo: hours)]).isNews == isNews)
    }
    let tonight = Self.told(.notice, hoursAgo: 2)
    #expect(try Self.finding([Self.air(days: 30, minimum: -4)], said: [week, tonight]).isNews)
  }

  @Test("makes news of a finding that only the user who asked has seen, and lets its warning stand too")
  func asked() throws {
    func asked(_ finding: Finding) -> EarlierFinding {
      RulePlot.said(finding, at: RulePlot.evening.advanced(byHours: -2), isTold: false)
    }
    let (frost, ground, mild) = (
      Self.air(days: 30, minimum: -4), Self.air(days: 30, minimum: 1.2), Self.air(days: 30, minimum: 6)
    )
    let warning = try Self.finding([frost]).finding
    #expect(try Self.finding([frost], said: [asked(warning)]).isNews)
    let stands = try Self.finding([mild], said: [asked(warning)])
    #expect(stands.finding.severity == .warning && stands.isNews)
    // "No frost" in between does not make the ground news again within the fortnight.
    let week = RulePlot.said(warning, at: RulePlot.evening.advanced(byHours: -7 * 24))
    let none = try Self.finding([mild]).finding
    #expect(none.severity == .info)
    #expect(try !Self.finding([ground], said: [week, asked(none)]).isNews)
    #expect(try Self.finding([ground], said: [asked(none)]).isNews)
  }

  @Test("states the last night's minimum in the morning, and finds nothing where it was not measured")
  func morning() throws {
    let now = try #require(Timestamp("2026-11-21T10:00:00Z"))
    let known = try Self.finding([Self.air(days: 2, minimum: 4, now: now)], now: now).finding
    #expect(known.text.contains(" The last night's minimum was "))
    let new = RulePlot.series("air_temperature", RulePlot.tens(1) { 14 - $0 }, now: now)
    #expect(FrostRule.finding(Observations(series: [new], now: now)) == nil)
    let both = try Self.finding([new, Self.air(days: 2, minimum: 4, now: now)], now: now).finding
    #expect(both.text == known.text)
  }

  @Test(
    "derives the night from the time zone of a garden without a longitude",
    arguments: [("2026-11-21T16:08:00Z", false), ("2026-11-22T02:00:00Z", true)])
  func zone(time: String, isNews: Bool) throws {
    let now = try #require(Timestamp(time))
    let observations = Observations(
      series: [Self.air(days: 30, minimum: -12, now: now)], now: now,
      clock: GardenClock(zone: "America/Los_Angeles", offsetSeconds: -8 * 3_600))
    let finding = try #require(FrostRule.finding(observations))
    #expect(finding.severity == .warning && FrostRule.isNews(finding, observations) == isNews)
    var placed = observations
    placed.longitude = -120
    #expect(FrostRule.finding(placed)?.evidence == finding.evidence)
  }

  @Test("makes no news by day", arguments: [("07:00", false), ("14:00", false), ("15:30", true), ("05:30", true)])
  func byDay(time: String, isDue: Bool) throws {
    let now = try #require(Timestamp("2026-11-21T\(time):00Z"))
    #expect(FrostRule.isDue(at: now, longitude: 0) == isDue)
    #expect(try Self.finding([Self.air(days: 30, minimum: -4, now: now)], now: now).isNews == isDue)
  }

  @Test(
    "finds the hour and the day of a solar night at a longitude",
    arguments: [
      ("2026-11-21T20:00:00Z", 0, 20), ("2026-11-21T23:00:00Z", 30, 25), ("2026-11-21T01:00:00Z", -45, 22),
      ("2026-11-21T12:00:00Z", 0, 12), ("2026-11-21T11:59:00Z", 0, 35.983),
    ])
  func nights(time: String, longitude: Double, hour: Double) throws {
    let night = SolarNight(at: try #require(Timestamp(time)), longitude: longitude)
    #expect(abs(night.hour - hour) < 0.001)
    let same = SolarNight(at: try #require(Timestamp(time)).advanced(byHours: -0.5), longitude: longitude)
    #expect(same.day == (hour - 0.5 < 12 ? night.day - 1 : night.day))
  }

  @Test("solves linear equations")
  func linear() {
    var (matrix, right) = ([[4.0, 1, 0], [1, 3, 1], [0, 1, 2]], [6.0, 10, 8])
    let solution = LinearSystem.solution(&matrix, &right)
    #expect(zip(solution, [1.0, 2, 3]).allSatisfy { abs($0 - $1) < 1e-12 })
  }
}
