import JSON
import Testing
import Values

@testable import Insights

@Suite("The rules")
struct RulesTests {
  // A Saturday, eight in the evening by the sun at 0° east.
  private static let evening = Timestamp("2026-11-21T20:00:00Z")!
  private static let noon = Timestamp("2026-11-21T12:00:00Z")!
  private static let device = Identifier(high: 1, low: 1)

  private static func series(
    _ type: String, _ readings: [(hoursAgo: Double, value: Double)], now: Timestamp = evening,
    device: Identifier = device, name: String = "North bed"
  ) -> SensorSeries {
    SensorSeries(
      device: device, deviceName: name, sensorType: type,
      points: readings.map { Point(now.advanced(byHours: -$0.hoursAgo), $0.value) })
  }

  private static func hourly(_ hours: Int, _ value: (Double) -> Double) -> [(hoursAgo: Double, value: Double)] {
    (0..<hours).reversed().map { (Double($0), value(Double($0))) }
  }

  private static func evidence(_ finding: Finding?) throws -> JSONValue {
    try JSONReader.parse(try #require(finding).evidence)
  }

  // MARK: Watering

  @Test("say when a drying bed will need water")
  func drying() throws {
    // It loses half a point an hour and has 40 % now.
    let series = Self.series("soil_moisture", Self.hourly(12) { 40 + 0.5 * $0 })
    let finding = WateringRule.finding(Observations(series: [series], now: Self.evening))
    #expect(finding?.severity == .notice)
    #expect(finding?.title == "Water soon: North bed")
    let probe = try #require(try Self.evidence(finding)["probes"]?.elements?.first)
    #expect(probe["level"]?.number == 40.5)
    #expect(probe["slopePerHour"]?.number == -0.5)
    #expect(probe["hoursUntilDry"]?.number == 21)
    #expect(probe["dryAt"]?.text == "2026-11-22T17:00:00.000Z")
    #expect(
      finding?.text
        == "North bed is at 40.5 % and loses 0.5 points an hour; it will be at 30 % in 21 hours, at 2026-11-22 17:00 UTC."
    )
  }

  @Test("measure how fast a bed dries since it was last watered")
  func watered() throws {
    let series = Self.series(
      "soil_moisture", Self.hourly(24) { $0 >= 10 ? 20 + ($0 - 10) * 2 : 60 + $0 })
    let probe = WateringRule.probe(series)
    #expect(abs(try #require(probe.slopePerHour) + 1) < 1e-9)
    #expect(probe.level == 61)
    #expect(abs(try #require(probe.hoursUntilDry) - 31) < 1e-9)
  }

  @Test(
    "judge a bed by its level",
    arguments: [
      (12, Severity.warning, "Water now: North bed"), (30, .warning, "Water now: North bed"),
      (55, .info, "No watering needed"), (92, .notice, "Too wet: North bed"),
    ])
  func level(percent: Double, severity: Severity, title: String) throws {
    let series = Self.series("soil_moisture", Self.hourly(6) { _ in percent })
    let finding = WateringRule.finding(Observations(series: [series], now: Self.evening))
    #expect(finding?.severity == severity)
    #expect(finding?.title == title)
  }

  @Test("do not mind one wrong value among the newest")
  func spike() {
    let series = Self.series("soil_moisture", [(3, 50), (2, 50), (1, 50), (0, 0)])
    #expect(WateringRule.probe(series).level == 50)
  }

  @Test(
    "believe that water came when the newest point rises, and that it is too wet when a second one says so",
    arguments: [
      ([(0.75, 15), (0.5, 15), (0.25, 15), (0, 60)], 60, 0, "No watering needed"),
      ([(0.5, 15), (0.25, 15), (0, 95)], 95, 0, "No watering needed"),
      ([(0.75, 15), (0.5, 15), (0.25, 95), (0, 94)], 94.5, 0.25, "Too wet: North bed"),
      // A rise that is gone was a wrong value.
      ([(0.75, 15), (0.5, 15), (0.25, 95), (0, 15)], 15, 0.5, "Water now: North bed"),
      // What was measured many hours before says nothing about now.
      ([(20, 15), (14, 15), (8, 15), (0, 40)], 40, 0, "No watering needed"),
      ([(20, 60), (14, 60), (8, 60), (0, 20)], 20, 0, "Water now: North bed"),
    ] as [([(Double, Double)], Double, Double, String)])
  func wateredJustNow(points: [(Double, Double)], level: Double, since: Double, title: String) throws {
    let finding = WateringRule.finding(
      Observations(series: [Self.series("soil_moisture", points)], now: Self.evening))
    #expect(finding?.title == title)
    let probe = try #require(try Self.evidence(finding)["probes"]?.elements?.first)
    #expect(probe["level"]?.number == level)
    #expect(probe["levelSince"]?.text == "\(Self.evening.advanced(byHours: -since))")
  }

  @Test("take the most of a point in which water came, which is a mean of before and after")
  func mixedPoint() {
    let (now, before) = (Self.evening, Self.evening.advanced(byHours: -0.25))
    let points = [Point(before, 15), Point(at: now, mean: 30, min: 15, max: 60, count: 3)]
    let probe = WateringRule.probe(
      SensorSeries(device: Self.device, deviceName: "Bed", sensorType: "soil_moisture", points: points))
    #expect(probe.level == 60 && !probe.isDry)
  }

  @Test("tell nothing of a slope that is too short")
  func shortSlope() {
    let series = Self.series("soil_moisture", [(0.3, 50), (0.2, 45), (0.1, 40), (0, 35)])
    #expect(WateringRule.probe(series).slopePerHour == nil)
  }

  // MARK: Frost

  @Test(
    "carry the evening's cooling on, more slowly below the dew point",
    arguments: [
      (5, -1.5, 10, nil, -2.3), (5, -1.5, 10, 2, 0.57), (5, -1.5, 0, nil, 5), (5, 1, 10, nil, 5),
      // The air is at its dew point already.
      (1, -1, 10, 4, -0.62),
    ] as [(Double, Double, Double, Double?, Double)])
  func cooling(temperature: Double, cooling: Double, hours: Double, dewPoint: Double?, expected: Double) {
    let forecast = FrostRule.forecast(temperature, cooling: cooling, hours: hours, dewPoint: dewPoint)
    #expect(abs(forecast - expected) < 0.01)
  }

  @Test("warn of frost on an evening that cools fast")
  func frost() throws {
    let series = Self.series("air_temperature", Self.hourly(5) { 5 + 1.5 * $0 })
    let finding = FrostRule.finding(Observations(series: [series], now: Self.evening))
    #expect(finding?.severity == .warning)
    #expect(finding?.title == "Frost tonight")
    let station = try #require(try Self.evidence(finding)["stations"]?.elements?.first)
    #expect(station["coolingPerHour"]?.number == -1.5)
    #expect(station["hoursUntilColdest"]?.number == 10)
    #expect(station["method"]?.text == "cooling")
    #expect(station["forecastMinimum"]?.number == -2.3)
    #expect(station["dewPoint"] == .null)
  }

  @Test("forecast by the dew point at noon, and by the last night without humidity")
  func byDay() throws {
    let air = Self.series("air_temperature", Self.hourly(10) { 12 - $0 }, now: Self.noon)
    let humidity = Self.series("air_humidity", [(0, 50)], now: Self.noon)
    let finding = FrostRule.finding(Observations(series: [air, humidity], now: Self.noon))
    let station = try #require(try Self.evidence(finding)["stations"]?.elements?.first)
    #expect(station["method"]?.text == "dew-point")
    #expect(station["dewPoint"]?.number == 1.89)
    #expect(finding?.severity == .notice)
    let dry = FrostRule.finding(Observations(series: [air], now: Self.noon))
    #expect(try Self.evidence(dry)["stations"]?.elements?.first?["method"]?.text == "last-night")
    #expect(try Self.evidence(dry)["forecastMinimum"]?.number == 3)
  }

  @Test(
    "know the sun's hour of a place",
    arguments: [("2026-11-21T20:00:00Z", 0, 20), ("2026-11-21T23:00:00Z", 30, 1), ("2026-11-21T01:00:00Z", -45, 22)])
  func solarHour(time: String, longitude: Double, expected: Double) throws {
    let moment = try #require(Timestamp(time))
    #expect(abs(FrostRule.solarHour(moment, longitude: longitude) - expected) < 1e-9)
  }

  // MARK: Anomalies

  /// Ten days of a day's course, hourly, with another value at the end.
  private static func days(_ last: Double) -> SensorSeries {
    series(
      "air_temperature",
      hourly(241) { ago in
        if ago == 0 { return last }
        let hour = (20 - ago).truncatingRemainder(dividingBy: 24)
        return 10 + abs(12 - (hour < 0 ? hour + 24 : hour)) / 2 + (Int(ago) / 24 % 2 == 0 ? 0.2 : -0.2)
      })
  }

  @Test("hold a value against the same hour of recent days")
  func outlier() throws {
    // At this hour it is 14 °C, give or take 0.2.
    let strange = AnomalyRule.finding(Observations(series: [Self.days(21)], now: Self.evening))
    #expect(strange?.severity == .warning)
    #expect(strange?.title == "Unusual: air_temperature of North bed")
    let outlier = try #require(try Self.evidence(strange)["outliers"]?.elements?.first)
    #expect(outlier["median"]?.number == 14)
    #expect(outlier["score"]?.number == 14)
    #expect(outlier["baselineDays"]?.number == 10)
    let usual = AnomalyRule.finding(Observations(series: [Self.days(14.8)], now: Self.evening))
    #expect(usual?.severity == .info)
    #expect(usual?.title == "Nothing unusual")
  }

  @Test("hold a young sensor against its last day")
  func young() throws {
    let series = Self.series("soil_moisture", Self.hourly(20) { $0 == 0 ? 80 : 40 + $0 / 10 })
    let finding = AnomalyRule.finding(Observations(series: [series], now: Self.evening))
    let outlier = try #require(try Self.evidence(finding)["outliers"]?.elements?.first)
    #expect(outlier["baselineDays"]?.number == 0)
    #expect(outlier["baselinePoints"]?.number == 19)
    #expect(finding?.severity == .warning)
  }

  @Test("name a probe that fell silent")
  func silent() throws {
    let series = Self.series("soil_moisture", [(30, 40), (29, 41)])
    let finding = AnomalyRule.finding(Observations(series: [series], now: Self.evening))
    #expect(finding?.severity == .notice)
    #expect(finding?.title == "Silent: North bed")
    #expect(finding?.text == "North bed has been silent for 29 hours, since 2026-11-20 15:00 UTC.")
  }

  // MARK: The week

  @Test("tell the week in sentences")
  func summary() throws {
    let other = Identifier(high: 1, low: 2)
    let observations = Observations(
      series: [
        Self.series("soil_moisture", [(144, 50), (24, 42), (0, 40)]),
        Self.series("soil_moisture", [(144, 30)], device: other, name: "South bed"),
        Self.series("rain", [(48, 2), (24, 3)]),
        Self.series("battery", [(0, 11)]),
      ], now: Self.evening)
    let finding = SummaryRule.finding(observations)
    #expect(finding?.severity == .notice)
    #expect(
      finding?.text
        == """
        In the last seven days 2 devices sent 7 readings. Soil moisture was between 30 and 50 %, 40.5 % on average, \
        and rose by 0. Rain added up to 5 mm. Battery was between 11 and 11 %, 11 % on average. \
        Silent for a day: South bed. Low on battery: North bed.
        """.replacing(", and rose by 0", with: ""))
    let evidence = try Self.evidence(finding)
    #expect(evidence["readings"]?.number == 7)
    #expect(evidence["silentDevices"]?.elements == [.string("South bed")])
    #expect(evidence["sensors"]?.elements?.first?["mean"]?.number == 40.5)
  }

  // MARK: Without data

  @Test("say nothing without data, or of data that is too old", arguments: InsightType.allCases)
  func nothing(type: InsightType) {
    #expect(type.finding(Observations(series: [], now: Self.evening)) == nil)
    let old = [
      Self.series("soil_moisture", [(25, 10)]), Self.series("air_temperature", [(4, -2)]),
    ]
    if type == .watering || type == .frost {
      #expect(type.finding(Observations(series: old, now: Self.evening)) == nil)
    }
  }

  @Test("name three probes and count the others")
  func names() {
    #expect(Finding.list(["A"]) == "A")
    #expect(Finding.list(["A", "B"]) == "A and B")
    #expect(Finding.list(["A", "B", "C", "D", "E"]) == "A, B, C and 2 more")
  }
}
