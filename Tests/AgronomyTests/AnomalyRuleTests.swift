import Glibc
import JSON
import TestSupport
import Testing
import Values

@testable import Agronomy

@Suite("The rule for anomalies")
struct AnomalyRuleTests {
  /// Series of `number` beds under one weather, each with a little noise of its own that is the same in every run. A
  /// `fault` changes the values of bed 1.
  private static func beds(
    _ type: String, _ number: Int = 4, weather: (Double) -> Double,
    fault: ((_ hoursAgo: Double, _ value: Double) -> Double)? = nil
  ) -> [SensorSeries] {
    (0..<number).map { bed in
      func value(_ hoursAgo: Double) -> Double {
        let value = weather(hoursAgo) + 0.1 * sin(hoursAgo * Double(7 + bed)) + 0.3 * Double(bed)
        return bed == 1 ? fault?(hoursAgo, value) ?? value : value
      }
      return RulePlot.series(
        type, RulePlot.tens(10, value), device: RulePlot.device(UInt64(bed)), name: "Bed \(bed)",
        hours: RulePlot.hourly(8 * 24, value))
    }
  }

  private static func day(_ hoursAgo: Double) -> Double { 12 + 6 * cos(2 * .pi * (hoursAgo + 6) / 24) }

  private static func kinds(_ series: [SensorSeries]) -> [String] {
    AnomalyRule.faults(Observations(series: series, now: RulePlot.evening)).map {
      "\($0.kind.rawValue): \($0.series.deviceName)"
    }
  }

  @Test("finds no fault in what all beds measure, however suddenly it changes, nor in one bed's watering")
  func weather() {
    #expect(Self.kinds(Self.beds("air_temperature", weather: Self.day)).isEmpty)
    // A front: ten degrees in two hours.
    #expect(Self.kinds(Self.beds("air_temperature") { Self.day($0) - min(10, max(0, 5 * (3 - $0))) }).isEmpty)
    #expect(
      Self.kinds(["rain", "wind_speed", "light"].flatMap { type in Self.beds(type) { $0 < 1 ? 30 : 0 } }).isEmpty)
    // Only one bed was watered.
    #expect(Self.kinds(Self.beds("soil_moisture", weather: { _ in 22 }) { $0 < 2 ? $1 + 15 : $1 }).isEmpty)
  }

  /// What a fault makes of a value that was measured `hoursAgo`.
  private static func broken(_ fault: String, _ hoursAgo: Double, _ value: Double) -> Double {
    switch fault {
    case "held": hoursAgo < 5 ? 9 : value
    case "offset": hoursAgo < 2.5 ? value + 6 : value
    case "drift": hoursAgo < 5 ? value - 1.5 * (5 - hoursAgo) : value
    case "out and back": hoursAgo > 0.3 && hoursAgo < 0.4 ? value + 9 : value
    default: hoursAgo == 0 ? value - 15 : value
    }
  }

  @Test(
    "finds the faulty sensor, and no other",
    arguments: [
      ("held", "stuck"), ("offset", "apart"), ("drift", "apart"), ("out and back", "spike"), ("fallen", "impossible"),
    ])
  func faults(fault: String, kind: String) {
    let beds = Self.beds("air_temperature", weather: Self.day) { Self.broken(fault, $0, $1) }
    #expect(Self.kinds(beds) == ["\(kind): Bed 1"])
  }

  @Test("does not call a sensor stuck that is as coarse as it always was, nor one in saturated air")
  func coarse() {
    let coarse = (0..<4).map { bed in
      let value: (Double) -> Double = { ($0 / 8).rounded() + 20 }
      return SensorSeries(
        device: RulePlot.device(UInt64(bed)), deviceName: "Bed", sensorType: "soil_moisture",
        points: RulePlot.tens(10, value).map { Point(RulePlot.evening.advanced(byHours: -$0.hoursAgo), $0.value) },
        hours: RulePlot.hourly(192, value).map { Point(RulePlot.evening.advanced(byHours: -$0.hoursAgo), $0.value) })
    }
    #expect(Self.kinds(coarse).isEmpty)
    #expect(
      Self.kinds([
        RulePlot.series(
          "air_humidity", RulePlot.tens(10) { _ in 100 },
          hours: RulePlot.hourly(192) { 60 + $0.truncatingRemainder(dividingBy: 20) })
      ]).isEmpty)
  }

  @Test(
    "does not call a soil thermometer stuck at about 0 °C, where freezing, thawing or snow keeps it",
    arguments: [(0.0, false), (-0.4375, false), (0.5, false), (7, true), (-3, true)])
  func freezing(celsius: Double, isStuck: Bool) {
    let soil = RulePlot.series(
      "soil_temperature", RulePlot.tens(10) { _ in celsius },
      hours: RulePlot.hourly(192) { $0 < 10 ? celsius : celsius + 3 + 2 * cos($0) })
    #expect(Self.kinds([soil]) == (isStuck ? ["stuck: North bed"] : []))
  }

  @Test("accuses neither of two beds that differ")
  func two() {
    #expect(Self.kinds(Self.beds("air_temperature", 2, weather: Self.day) { $0 < 3 ? $1 + 6 : $1 }).isEmpty)
  }

  @Test("reports the device that fell silent, by its owner's clock, and when all is well again")
  func silent() throws {
    let bed = Self.beds("soil_moisture", 1) { _ in 22 }
    let silence = SilentDevice(
      device: RulePlot.device(9), name: "Shed", seenAt: RulePlot.evening.advanced(byHours: -0.75))
    let observations = Observations(series: bed, now: RulePlot.evening, silent: [silence])
    let finding = try #require(AnomalyRule.finding(observations))
    #expect(finding.severity == .notice && finding.title == "Silent: Shed")
    #expect(finding.text == "Shed has been silent for 45 minutes, since 2026-11-21 19:15 UTC.")
    #expect(AnomalyRule.isNews(finding, observations))
    var abroad = observations
    abroad.clocks = [silence.device: GardenClock(zone: "Asia/Tokyo", offsetSeconds: 32_400)]
    #expect(AnomalyRule.finding(abroad)?.text.hasSuffix(" since 2026-11-22 04:15 (Asia/Tokyo).") == true)
    var later = observations
    later.said = [RulePlot.said(finding, at: RulePlot.evening.advanced(byHours: -0.5))]
    #expect(!AnomalyRule.isNews(finding, later))
    later.silent = []
    let well = try #require(AnomalyRule.finding(later))
    #expect(well.severity == .info && AnomalyRule.isNews(well, later))
    // A finding made for a user who asked was told to nobody else.
    later.silent = [silence]
    later.said = [RulePlot.said(finding, at: RulePlot.evening.advanced(byHours: -0.5), isTold: false)]
    #expect(AnomalyRule.isNews(finding, later))
    later.silent = []
    #expect(!AnomalyRule.isNews(well, later))
  }

  @Test("makes news of changed faults even under an unchanged title, which names only three")
  func others() throws {
    func observations(_ numbers: [UInt64], said: [EarlierFinding] = []) -> Observations {
      let silent = numbers.map {
        SilentDevice(device: RulePlot.device($0), name: "Bed \($0)", seenAt: RulePlot.evening.advanced(byHours: -1))
      }
      return Observations(series: [], now: RulePlot.evening, silent: silent, said: said)
    }
    let four = try #require(AnomalyRule.finding(observations([1, 2, 3, 4])))
    let said = RulePlot.said(four, at: RulePlot.evening.advanced(byHours: -0.5))
    for (numbers, isNews) in [([1, 2, 3, 4], false), ([1, 2, 3, 5], true), ([1, 2, 3, 4, 5], true)]
      as [([UInt64], Bool)]
    {
      let now = observations(numbers, said: [said])
      #expect(AnomalyRule.isNews(try #require(AnomalyRule.finding(now)), now) == isNews)
    }
    // A fault of another sensor of the same device is news.
    var faulty = Observations(
      series: Self.beds("air_temperature", weather: Self.day) { Self.broken("held", $0, $1) }, now: RulePlot.evening)
    let held = try #require(AnomalyRule.finding(faulty))
    faulty.said = [RulePlot.said(held, at: RulePlot.evening.advanced(byHours: -0.5))]
    #expect(held.severity == .notice && !AnomalyRule.isNews(held, faulty))
    faulty.series += Self.beds("soil_temperature", weather: Self.day) { Self.broken("held", $0, $1) }
    #expect(AnomalyRule.isNews(try #require(AnomalyRule.finding(faulty)), faulty))
  }
}
