import JSON
import TestSupport
import Testing
import Values

@testable import Agronomy

@Suite("The rule for watering")
struct WateringRuleTests {
  private static let evening = RulePlot.evening
  private static let limits = MoistureLimits(dryBelow: 30, wetAbove: 85)

  private static func observations(_ series: [SensorSeries], said: [EarlierFinding] = []) -> Observations {
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
    // The bed loses half a point an hour and is at 40 % now.
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

  @Test("says why a bed just above the limit still counts as dry: it was dry, and has had no water since")
  func hysteresis() throws {
    func text(_ percent: Double) throws -> String {
      let bed = Self.bed(RulePlot.hourly(12) { $0 > 6 ? 40 : $0 > 3 ? 29 : percent })
      let finding = try #require(WateringRule.finding(Self.observations([bed])))
      #expect(finding.title == "Water now: North bed")
      return finding.text
    }
    #expect(try text(29).hasSuffix("; 30 % and less is dry."))
    let since = "2026-11-21 15:00 UTC"
    #expect(try text(31).hasSuffix("; it has been dry since \(since), and is until it has more than 32 %."))
  }

  @Test("knows that sand is moist where clay is dry", arguments: [(Soil.sand, false), (.loam, true), (.clay, true)])
  func soils(soil: Soil, isDry: Bool) {
    let bed = Self.bed(RulePlot.hourly(6) { _ in 15 })
    let observations = Observations(series: [bed], now: Self.evening, limits: [bed.device: MoistureLimits(soil)])
    #expect((WateringRule.finding(observations)?.severity == .warning) == isDry)
  }

  @Test(
    "believes that water came as soon as a point rises, but too much of it only with a second point",
    arguments: [
      ([(0.75, 15), (0.5, 15), (0.25, 15), (0, 60)], 60, 0, "No watering needed"),
      ([(0.5, 15), (0.25, 15), (0, 95)], 95, 0, "No watering needed"),
      ([(0.75, 15), (0.5, 15), (0.25, 95), (0, 94)], 94.5, 0.25, "Too wet: North bed"),
      // A rise that has gone again was a wrong value.
      ([(0.75, 15), (0.5, 15), (0.25, 95), (0, 15)], 15, 0.5, "Water now: North bed"),
      // Values of many hours ago do not contradict the newest one, except where it alone has fallen far.
      ([(20, 15), (14, 15), (8, 15), (0, 40)], 40, 0, "No watering needed"),
      ([(20, 60), (14, 60), (8, 35), (0, 28)], 28, 0, "Water now: North bed"),
      ([(20, 60), (14, 60), (8, 60), (0, 20)], 60, 8, "No watering needed"),
      ([(20, 60), (14, 60), (8, 20), (0, 20)], 20, 0, "Water now: North bed"),
    ] as [([(Double, Double)], Double, Double, String)])
  func wateredJustNow(points: [(Double, Double)], level: Double, since: Double, title: String) throws {
    let finding = try #require(WateringRule.finding(Self.observations([Self.bed(points)])))
    #expect(finding.title == title)
    let probe = try #require(try JSONReader.parse(finding.evidence)["probes"]?.elements?.first)
    #expect(probe["level"]?.number == level)
    #expect(probe["levelSince"]?.text == "\(Self.evening.advanced(byHours: -since))")
  }

  @Test("judges a point in which water came by its maximum, since its mean is of before and after")
  func mixedPoint() {
    let points = [
      Point(Self.evening.advanced(byHours: -0.25), 15), Point(at: Self.evening, mean: 30, min: 15, max: 60, count: 3),
    ]
    let bed = SensorSeries(
      device: RulePlot.device(1), deviceName: "Bed", sensorType: "soil_moisture", points: points)
    #expect(!MoistureProbe(bed, Self.limits).isDry)
  }

  @Test("ignores a single wrong value among the newest")
  func spike() {
    let bed = Self.bed([(3, 50), (2, 50), (1, 50), (0, 0)])
    #expect(!MoistureProbe(bed, Self.limits).isDry)
  }

  @Test("takes a probe that falls suddenly as pulled out, not dry, for a day or until it is back")
  func pulled() throws {
    func finding(hours: Double, back: Double = -1) throws -> Finding {
      let quarters = (0...288).reversed().map { (Double($0) / 4, (back..<hours).contains(Double($0) / 4) ? 0.1 : 40) }
      return try #require(WateringRule.finding(Self.observations([Self.bed(quarters)])))
    }
    for hours in [0.25, 0.5, 6, 23] {
      let out = try finding(hours: hours)
      #expect(out.severity == .notice && out.title == "Perhaps not in the soil: North bed")
    }
    #expect(
      try finding(hours: 6).text
        == "North bed fell from 40 to 0.1 % at 2026-11-21 14:15 UTC, faster than any soil dries.")
    #expect(try finding(hours: 30).title == "Water now: North bed")
    #expect(try finding(hours: 6, back: 1).title == "No watering needed")
    // The quarter of an hour in which it was pulled out is a mean of before and after.
    let mixed = Self.bed([(1, 40), (0.75, 40), (0.5, 36), (0.25, 0.1), (0, 0.1)])
    #expect(!MoistureProbe(mixed, Self.limits).isDry)
    // A bed that was dry before the fall is still dry.
    let dry = Self.bed([(1, 20), (0.75, 20), (0.5, 20), (0.25, 0.1), (0, 0.1)])
    #expect(MoistureProbe(dry, Self.limits).isDry)
  }

  @Test("names beds in the same order, whichever is drier")
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

  /// The warning of `hoursAgo` hours ago, when the bed `number` was dry by the limit `dryBelow`.
  private static func said(
    _ hoursAgo: Double, dry number: UInt64 = 1, dryBelow: Double = 30, isTold: Bool = true
  ) throws -> EarlierFinding {
    let now = evening.advanced(byHours: -hoursAgo)
    let bed = RulePlot.series(
      "soil_moisture", RulePlot.hourly(3) { _ in 20 }, now: now, device: RulePlot.device(number))
    let limits = MoistureLimits(dryBelow: dryBelow, wetAbove: 85)
    let observations = Observations(series: [bed], now: now, limits: [bed.device: limits])
    return RulePlot.said(try #require(WateringRule.finding(observations)), at: now, isTold: isTold)
  }

  private static func isNews(_ beds: [SensorSeries], _ said: EarlierFinding...) throws -> Bool {
    let observations = observations(beds, said: said)
    return WateringRule.isNews(try #require(WateringRule.finding(observations)), observations)
  }

  // By its level it has been dry for eight hours, with noise about the limit.
  private static let north = bed(
    RulePlot.hourly(60) { $0 > 10 ? 40 : $0.truncatingRemainder(dividingBy: 2) == 0 ? 29 : 31 })

  private static func south(dryHours: Double, of hours: Int = 60, wet: Double = 40) -> SensorSeries {
    bed(RulePlot.hourly(hours) { $0 > dryHours ? wet : 20 }, number: 2, name: "South bed")
  }

  @Test("makes news of a garden's first dry bed only after two points, as of any other")
  func first() throws {
    #expect(try !Self.isNews([Self.bed([(0, 20)])]))
    #expect(try Self.isNews([Self.bed([(0.25, 20), (0, 20)])]))
    // A value every four hours, the last of which is wrong.
    let seldom = (0...12).reversed().map { (Double($0) * 4, $0 == 0 ? 0.0 : 40) }
    #expect(try !Self.isNews([Self.bed(seldom)]))
    #expect(WateringRule.finding(Self.observations([Self.bed(seldom)]))?.severity == .info)
  }

  @Test("makes news of a bed that became dry since the last warning, and not of a level that wavers")
  func news() throws {
    #expect(try Self.isNews([Self.north]))
    #expect(try !Self.isNews([Self.north], Self.said(7)))
    #expect(try Self.isNews([Self.north], Self.said(20)))
    #expect(try Self.isNews([Self.north, Self.south(dryHours: 2)], Self.said(5)))
    // Not all readings of the newest point may have come yet.
    let unsure = Self.south(dryHours: 1)
    #expect(MoistureProbe(unsure, Self.limits).isDry)
    #expect(try !Self.isNews([Self.north, unsure], Self.said(5)))
    #expect(try !Self.isNews([Self.bed(RulePlot.hourly(60) { _ in 20 })], Self.said(80)))
    #expect(try !Self.isNews([Self.bed(RulePlot.hourly(12) { 40 + 0.5 * $0 })]))
  }

  @Test("makes news of a bed that was dry before the last warning but is known to be only now")
  func knownLater() throws {
    #expect(try Self.isNews([Self.north, Self.south(dryHours: 7)], Self.said(5)))
    // The second bed became dry in the very quarter of an hour in which the first was reported.
    let quarters = (0...40).reversed().map { (Double($0) / 4, $0 > 2 ? 34.0 : 28) }
    let sameQuarter = Self.bed(quarters, number: 2, name: "South bed")
    let since = try #require(MoistureProbe(sameQuarter, Self.limits).drySince)
    #expect(try Self.isNews([Self.north, sameQuarter], Self.said(since.hours(until: Self.evening) - 0.1)))
    // As far back as its values go, it was dry.
    #expect(try Self.isNews([Self.north, Self.south(dryHours: 60)], Self.said(5)))
  }

  @Test("makes no news of a bed that a warning has named until it was wet or long unseen")
  func named() throws {
    let dry = Self.south(dryHours: 7)
    #expect(try !Self.isNews([Self.north, dry], Self.said(7), Self.said(5, dry: 2)))
    // It wavered about the limit after the reading by which it was named, and then fell again.
    let wavering = Self.bed(RulePlot.hourly(60) { [30: 29.0, 29: 29, 2: 29, 1: 29, 0: 29][Int($0)] ?? 31 })
    #expect(try !Self.isNews([wavering], Self.said(29)))
    // One wrong high value does not count as watering.
    let wrong = Self.bed(RulePlot.hourly(60) { $0 == 5 ? 60 : 20 })
    #expect(try !Self.isNews([wrong], Self.said(9)))
    #expect(try Self.isNews([Self.south(dryHours: 3, of: 4)], Self.said(150, dry: 2)))
    // It dries so slowly that it was wet only before the days that are read.
    #expect(try Self.isNews([Self.bed(RulePlot.hourly(70) { 29.5 + 0.03 * $0 })], Self.said(100)))
  }

  @Test("makes news of a bed that a changed limit makes dry")
  func limits() throws {
    var observations = Self.observations([Self.south(dryHours: -1)], said: [try Self.said(65, dry: 2)])
    observations.limits = [RulePlot.device(2): MoistureLimits(dryBelow: 45, wetAbove: 85)]
    #expect(WateringRule.isNews(try #require(WateringRule.finding(observations)), observations))
    // The bed was reported lately, and has had no water since.
    observations.series = [Self.south(dryHours: 60)]
    observations.said = [try Self.said(5, dry: 2)]
    #expect(!WateringRule.isNews(try #require(WateringRule.finding(observations)), observations))
    // By the old limit it was dry while it was wet by the present one.
    #expect(try Self.isNews([Self.south(dryHours: 7)], Self.said(20, dry: 2, dryBelow: 50)))
  }

  @Test("makes news although a user who asked has seen it")
  func asked() throws {
    #expect(try Self.isNews([Self.north], Self.said(5, isTold: false)))
    #expect(try !Self.isNews([Self.north], Self.said(5), Self.said(4, isTold: false)))
  }
}
