import Agronomy
import JSON
import Testing
import Values

@Suite("The rule for watering", .blocking)
struct WateringRuleTests {
  private static let evening = RulePlot.evening
  private static let limits = MoistureLimits(dryBelow: 30, wetAbove: 85)

  private static func observations(_ series: [SensorSeries], said: [Said] = []) -> Observations {
    Observations(
      series: series, now: evening, limits: Dictionary(uniqueKeysWithValues: series.map { ($0.device, limits) }),
      said: said)
  }

  private static func bed(
    _ readings: [(hoursAgo: Double, value: Double)], number: UInt64 = 1, name: String = "North bed"
  )
    -> SensorSeries
  { RulePlot.series("soil_moisture", readings, device: RulePlot.device(number), name: name) }

  @Test("says when a drying bed will need water, by its owner's clock")
  func drying() throws {
    // It loses half a point an hour and has 40 % now.
    var observations = Self.observations([Self.bed(RulePlot.hourly(12) { 40 + 0.5 * $0 })])
    observations.clock = GardenClock(zone: "Europe/Paris", offsetSeconds: 3_600)
    let finding = try #require(WateringRule.finding(observations))
    #expect(finding.severity == .notice && finding.title == "Water soon: North bed")
    let probe = try #require(try JSONReader.parse(finding.evidence)["probes"]?.elements?.first)
    #expect(probe["level"]?.number == 40.5 && probe["slopePerHour"]?.number == -0.5)
    #expect(probe["hoursUntilDry"]?.number == 21 && probe["dryAt"]?.text == "2026-11-22T17:00:00.000Z")
    #expect(
      finding.text
        == "North bed is at 40.5 % and loses 0.5 points an hour; it will be at 30 % in 21 hours, "
        + "at 2026-11-22 18:00 (Europe/Paris).")
    observations.clocks = [RulePlot.device(1): GardenClock(zone: "Asia/Tokyo", offsetSeconds: 32_400)]
    #expect(WateringRule.finding(observations)?.text.hasSuffix(" at 2026-11-23 02:00 (Asia/Tokyo).") == true)
  }

  @Test(
    "judges a bed by its level",
    arguments: [
      (12, Severity.warning, "Water now: North bed"), (30, .warning, "Water now: North bed"),
      (55, .info, "No watering needed"), (92, .notice, "Too wet: North bed"),
    ])
  func level(percent: Double, severity: Severity, title: String) {
    let finding = WateringRule.finding(Self.observations([Self.bed(RulePlot.hourly(6) { _ in percent })]))
    #expect(finding?.severity == severity && finding?.title == title)
  }

  @Test("knows that sand is wet where clay is dry", arguments: [(Soil.sand, false), (.loam, true), (.clay, true)])
  func soils(soil: Soil, isDry: Bool) {
    let bed = Self.bed(RulePlot.hourly(6) { _ in 15 })
    let observations = Observations(series: [bed], now: Self.evening, limits: [bed.device: MoistureLimits(soil)])
    #expect((WateringRule.finding(observations)?.severity == .warning) == isDry)
  }

  @Test(
    "believes that water came when the newest point rises, and that it is too wet when a second one says so",
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
    let finding = try #require(WateringRule.finding(Self.observations([Self.bed(points)])))
    #expect(finding.title == title)
    let probe = try #require(try JSONReader.parse(finding.evidence)["probes"]?.elements?.first)
    #expect(probe["level"]?.number == level)
    #expect(probe["levelSince"]?.text == "\(Self.evening.advanced(byHours: -since))")
  }

  @Test("takes the most of a point in which water came, which is a mean of before and after")
  func mixedPoint() {
    let points = [
      Point(Self.evening.advanced(byHours: -0.25), 15), Point(at: Self.evening, mean: 30, min: 15, max: 60, count: 3),
    ]
    let bed = SensorSeries(
      device: RulePlot.device(1), deviceName: "Bed", sensorType: "soil_moisture", points: points)
    #expect(!WateringRule.probe(bed, Self.limits).isDry)
  }

  @Test("does not mind one wrong value among the newest")
  func spike() {
    let bed = Self.bed([(3, 50), (2, 50), (1, 50), (0, 0)])
    #expect(!WateringRule.probe(bed, Self.limits).isDry)
  }

  @Test("names beds in one order, whichever is drier just now")
  func order() {
    let titles = [(10.0, 11.0), (11.0, 10.0)].map { first, second in
      WateringRule.finding(
        Self.observations([
          Self.bed(RulePlot.hourly(6) { _ in first }, number: 2, name: "B"),
          Self.bed(RulePlot.hourly(6) { _ in second }, number: 1, name: "A"),
        ]))?.title
    }
    #expect(titles == ["Water now: A and B", "Water now: A and B"])
  }

  @Test("is news when a bed has become dry since it was last said, and not while its level wavers about the limit")
  func news() throws {
    func isNews(_ beds: [SensorSeries], saidHoursAgo: Double?) throws -> Bool {
      let said = saidHoursAgo.map {
        [Said(at: Self.evening.advanced(byHours: -$0), severity: .warning, title: "Water now: North bed")]
      }
      let observations = Self.observations(beds, said: said ?? [])
      return WateringRule.isNews(try #require(WateringRule.finding(observations)), observations)
    }
    // Dry for eight hours, with noise about the limit.
    let dry = Self.bed(RulePlot.hourly(60) { $0 > 10 ? 40 : $0.truncatingRemainder(dividingBy: 2) == 0 ? 29 : 31 })
    #expect(try isNews([dry], saidHoursAgo: nil))
    #expect(try !isNews([dry], saidHoursAgo: 7))
    #expect(try isNews([dry], saidHoursAgo: 20))
    let other = Self.bed(RulePlot.hourly(60) { $0 > 2 ? 40 : 20 }, number: 2, name: "South bed")
    #expect(try isNews([dry, other], saidHoursAgo: 5))
    // Of its newest point not all readings may be there yet.
    let unsure = Self.bed(RulePlot.hourly(60) { $0 > 1 ? 40 : 20 }, number: 2, name: "South bed")
    #expect(WateringRule.probe(unsure, Self.limits).isDry)
    #expect(try !isNews([dry, unsure], saidHoursAgo: 5))
    #expect(try !isNews([Self.bed(RulePlot.hourly(60) { _ in 20 })], saidHoursAgo: 80))
    #expect(try !isNews([Self.bed(RulePlot.hourly(12) { 40 + 0.5 * $0 })], saidHoursAgo: nil))
  }
}

/// Series of points for tests of rules, on an evening.
enum RulePlot {
  // A Saturday, eight in the evening by the sun at 0° east.
  static let evening = Timestamp("2026-11-21T20:00:00Z")!

  static func device(_ number: UInt64) -> Identifier { Identifier(high: 1, low: number) }

  static func series(
    _ type: String, _ readings: [(hoursAgo: Double, value: Double)], now: Timestamp = evening,
    device: Identifier = device(1), name: String = "North bed", hours: [(hoursAgo: Double, value: Double)] = []
  ) -> SensorSeries {
    SensorSeries(
      device: device, deviceName: name, sensorType: type,
      points: readings.map { Point(now.advanced(byHours: -$0.hoursAgo), $0.value) },
      hours: hours.map { hour in
        Point(
          at: now.advanced(byHours: -hour.hoursAgo), mean: hour.value, min: hour.value - 0.1, max: hour.value + 0.1,
          count: 6)
      })
  }

  static func hourly(_ hours: Int, _ value: (Double) -> Double) -> [(hoursAgo: Double, value: Double)] {
    (0..<hours).reversed().map { (Double($0), value(Double($0))) }
  }

  /// Every ten minutes of so many hours.
  static func tens(_ hours: Int, _ value: (Double) -> Double) -> [(hoursAgo: Double, value: Double)] {
    (0...hours * 6).reversed().map { (Double($0) / 6, value(Double($0) / 6)) }
  }
}
