import JSON
import TestSupport
import Testing
import Values

@testable import Agronomy

@Suite("The rules")
struct RulesTests {
  private static let evening = RulePlot.evening
  private static let device = RulePlot.device(1)

  private static func series(
    _ type: String, _ readings: [(hoursAgo: Double, value: Double)], device: Identifier = device,
    name: String = "North bed"
  ) -> SensorSeries { RulePlot.series(type, readings, device: device, name: name) }

  private static func evidence(_ finding: Finding?) throws -> JSONValue {
    try JSONReader.parse(try #require(finding).evidence)
  }

  // MARK: The week

  @Test("summarise the week in sentences")
  func summary() throws {
    let other = Identifier(high: 1, low: 2)
    let observations = Observations(
      series: [
        Self.series("soil_moisture", [(144, 50), (24, 42), (0, 40)]),
        Self.series("soil_moisture", [(144, 30)], device: other, name: "South bed"),
        Self.series("rain", [(48, 2), (24, 3)]),
        Self.series("battery", [(0, 11)]),
      ], now: Self.evening,
      silent: [SilentDevice(device: other, name: "South bed", seenAt: Self.evening.advanced(byHours: -144))])
    let finding = SummaryRule.finding(observations)
    #expect(finding?.severity == .notice)
    #expect(
      finding?.text
        == """
        In the last seven days 2 devices sent 7 readings. Soil moisture was between 30 and 50 %, 40.5 % on average, \
        and fell by 10. Rain added up to 5 mm. Battery was between 11 and 11 %, 11 % on average. \
        Silent: South bed. Low on battery: North bed.
        """)
    let evidence = try Self.evidence(finding)
    #expect(evidence["readings"]?.number == 7)
    #expect(evidence["silentDevices"]?.elements == [.string("South bed")])
    #expect(evidence["sensors"]?.elements?.first?["mean"]?.number == 40.5)
    // The change is that of the only probe with values on both the first and the last day.
    #expect(evidence["sensors"]?.elements?.first?["change"]?.number == -10)
  }

  // MARK: Without data

  @Test("find nothing without data, and those about the present nothing in data that is too old")
  func nothing() {
    let rulesOfPresent = [WateringRule.finding, FrostRule.finding]
    for finding in rulesOfPresent + [AnomalyRule.finding, SummaryRule.finding] {
      #expect(finding(Observations(series: [], now: Self.evening)) == nil)
    }
    let old = [
      Self.series("soil_moisture", [(25, 10)]), Self.series("air_temperature", [(4, -2)]),
    ]
    for finding in rulesOfPresent {
      #expect(finding(Observations(series: old, now: Self.evening)) == nil)
    }
  }

  @Test("name three probes and count the others")
  func names() {
    #expect(Finding.list(["A"]) == "A")
    #expect(Finding.list(["A", "B"]) == "A and B")
    #expect(Finding.list(["A", "B", "C", "D", "E"]) == "A, B, C and 2 more")
  }
}
