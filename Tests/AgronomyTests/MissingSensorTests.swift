import Glibc
import Testing
import Values

@testable import Agronomy

@Suite("A missing sensor")
struct MissingSensorTests {
  /// A series with a value every `step` hours that ended `hoursAgo` hours before the evening, as it is read `ago` hours
  /// before the evening: not further back than eight days.
  private static func ended(
    _ hoursAgo: Double, _ type: String = "soil_moisture", every step: Double = 1, ago: Double = 0
  ) -> SensorSeries {
    let times = stride(from: hoursAgo, through: 192 + ago, by: step).reversed().filter { $0 - ago <= 192 }
    let hours = times.map { Point(RulePlot.evening.advanced(byHours: -$0), 30 + 0.01 * $0) }
    let points = hours.filter { $0.at.hours(until: RulePlot.evening) - ago <= 10 }
    return SensorSeries(
      device: RulePlot.device(1), deviceName: "Node", sensorType: type,
      points: points.isEmpty ? hours.suffix(1) : points, hours: hours)
  }

  private static func air(ago: Double = 0) -> SensorSeries {
    RulePlot.series(
      "air_temperature", RulePlot.tens(10) { 12 + 6 * cos($0 + ago) }, now: RulePlot.evening.advanced(byHours: -ago),
      name: "Node")
  }

  private static func observations(
    _ series: [SensorSeries], longestSilence: Double? = 1.0 / 6, ago: Double = 0, said: [EarlierFinding] = []
  ) -> Observations {
    Observations(
      series: series, now: RulePlot.evening.advanced(byHours: -ago),
      longestSilences: longestSilence.map { [RulePlot.device(1): $0] } ?? [:], said: said)
  }

  @Test("is reported while its device is still sending")
  func cable() throws {
    let finding = try #require(AnomalyRule.finding(Self.observations([Self.air(), Self.ended(5)])))
    #expect(finding.title == "Unusual: soil_moisture of Node")
    #expect(
      finding.text == "Node is reporting, but no soil_moisture measured after 2026-11-21 15:00 UTC: "
        + "the sensor may be broken, or the device's clock slow.")
    // Everything that the device sends was measured two days ago by its clock.
    let slow = Self.observations([Self.ended(48), Self.ended(48, "air_humidity")])
    #expect(AnomalyRule.finding(slow)?.title == "Unusual: air_humidity of Node and soil_moisture of Node")
  }

  @Test(
    "counts as missing after a silence that is long for it and for its device",
    arguments: [
      (2, 1, 0.2, false), (4, 1, 0.2, true), (10, 4, 0.2, false), (13, 4, 0.2, true),
      // A device that measures hourly and sends four times a day, or was without a network for a night. A sensor that
      // ended more than a week ago was taken away.
      (8, 1, 6, false), (20, 1, 6, true), (170, 1, 0.2, false),
    ])
  func usual(hours: Double, step: Double, longestSilence: Double, isMissed: Bool) {
    let observations = Self.observations(
      [Self.air(), Self.ended(hours, every: step)], longestSilence: longestSilence)
    #expect(AnomalyRule.faults(observations).map(\.kind) == (isMissed ? [.missing] : []))
  }

  @Test("is not reported if its device is silent, its type has values only at times, or it had too few")
  func others() {
    #expect(AnomalyRule.faults(Self.observations([Self.ended(5)], longestSilence: nil)).isEmpty)
    #expect(AnomalyRule.faults(Self.observations([Self.ended(5, "rain"), Self.ended(5, "wind_speed")])).isEmpty)
    #expect(AnomalyRule.faults(Self.observations([Self.ended(5, every: 20)])).isEmpty)
  }

  @Test("keeps its earlier fault where too few values are left to judge it")
  func unknown() throws {
    let faulty = Self.observations([Self.air(), Self.ended(0)], ago: -0.5)
    var stuck = faulty
    stuck.series[1] = SensorSeries(
      device: RulePlot.device(1), deviceName: "Node", sensorType: "soil_moisture",
      points: RulePlot.tens(6) { _ in 20 }.map { Point(RulePlot.evening.advanced(byHours: -$0.hoursAgo), $0.value) },
      hours: Self.ended(7).hours)
    let finding = try #require(AnomalyRule.finding(stuck))
    #expect(finding.severity == .notice)
    // Until then it sent every four hours.
    let later = Self.observations(
      [Self.air(), Self.ended(5, every: 4)], said: [RulePlot.said(finding, at: RulePlot.evening.advanced(byHours: -4))])
    let still = try #require(AnomalyRule.finding(later))
    #expect(still.severity == .notice && !AnomalyRule.isNews(still, later))
  }

  @Test(
    "is reported once, until it is back or for a week, even if its device sends once a day",
    arguments: [(-1, 1.0 / 6), (100, 1.0 / 6), (-1, 24), (100, 24)] as [(Double, Double)])
  func once(back: Double, longestSilence: Double) throws {
    var (said, news): ([EarlierFinding], [String]) = ([], [])
    for ago in stride(from: 205.0, through: 0, by: -1) {
      let isBack = ago <= back
      // After eight days none of its values are read any more.
      let soil = ago < 10 && !isBack ? [] : [Self.ended(isBack ? ago : max(200, ago), ago: ago)]
      let series = [Self.air(ago: ago)] + soil
      let observations = Self.observations(series, longestSilence: longestSilence, ago: ago, said: said.suffix(1))
      let finding = try #require(AnomalyRule.finding(observations))
      guard AnomalyRule.isNews(finding, observations) else { continue }
      said.append(EarlierFinding(at: observations.now, finding))
      news.append(finding.title)
    }
    #expect(news == ["Unusual: soil_moisture of Node"] + (back > 0 ? ["Nothing unusual"] : []))
  }

  @Test("has been missing since its last value, whenever it was reported")
  func hours() throws {
    let soon = Self.observations([Self.air(ago: 46), Self.ended(50, ago: 46)], ago: 46)
    let first = try #require(AnomalyRule.finding(soon))
    let later = Self.observations(
      [Self.air(), Self.ended(50)], said: [RulePlot.said(first, at: RulePlot.evening.advanced(byHours: -46))])
    #expect(AnomalyRule.faults(later).map(\.hours) == [50])
    #expect(AnomalyRule.faults(later).map(\.kind) == [.missing])
  }

  @Test("has its values read for longer than a fault stands")
  func days() {
    #expect(ToldFault.longestHours + AnomalyRule.maximumAgeHours < 24 * Double(AnomalyRule.usualDays))
  }
}
