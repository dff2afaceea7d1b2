import Glibc
import Testing
import Values

@testable import Agronomy

@Suite("Comparing sensors with their neighbours")
struct ComparisonTests {
  /// One bed for each of `cadences`, which sends every `minutes` with an offset of `phase` minutes. The third measures
  /// `fault` too much for the last six hours.
  private static func beds(_ cadences: [(minutes: Int, phase: Int)], fault: Double) -> [SensorSeries] {
    cadences.enumerated().map { bed, cadence in
      let (first, step) = (8 * 24 * 60 - cadence.phase, cadence.minutes)
      let readings = stride(from: first, through: 0, by: -step).map { minutesAgo in
        let hoursAgo = Double(minutesAgo) / 60
        let value = 12 + 6 * cos(2 * .pi * (hoursAgo + 6) / 24) + 0.1 * sin(hoursAgo * Double(7 + bed))
        return Point(
          RulePlot.evening.advanced(byHours: -hoursAgo), value + (bed == 2 && hoursAgo <= 6 ? fault : 0))
      }
      return SensorSeries(
        device: RulePlot.device(UInt64(bed)), deviceName: "Bed \(bed)", sensorType: "air_temperature",
        points: buckets(readings.filter { $0.at.hours(until: RulePlot.evening) <= 10 }, minutes: 10),
        hours: buckets(readings, minutes: 60))
    }
  }

  /// The means of `readings` in buckets of `minutes`, as the server computes them.
  private static func buckets(_ readings: [Point], minutes: Int64) -> [Point] {
    let width = minutes * 60_000
    return Dictionary(grouping: readings) { $0.at.unixMilliseconds / width }.sorted { $0.key < $1.key }.map {
      key, part in
      let values = part.map(\.mean)
      return Point(
        at: Timestamp(unixMilliseconds: key * width), mean: values.reduce(0, +) / Double(values.count),
        min: values.min()!, max: values.max()!, count: Int64(values.count))
    }
  }

  @Test(
    "finds the one that is apart, however seldom all of them send and each at its own minute",
    arguments: [5, 10, 12, 15, 20, 30, 45, 60])
  func cadences(minutes: Int) throws {
    for phases in [[0, 0, 0], [0, 3, 4], [0, minutes / 3, minutes / 2]] {
      let cadences = phases.map { (minutes, $0) }
      #expect(Self.kinds(Self.beds(cadences, fault: 15)) == ["apart: Bed 2"])
      let healthy = Observations(series: Self.beds(cadences, fault: 0), now: RulePlot.evening)
      #expect(AnomalyRule.finding(healthy)?.text == "All 3 sensors measure as they should.")
    }
  }

  @Test("works where half the sensors or more measure too seldom to have a value every hour")
  func seldomOnes() throws {
    let often = [(10, 0), (10, 3), (10, 7)]
    let seldom = (0..<6).map { (180, 30 * $0) }
    let alternating = (0..<8).map { (120, $0 % 2 * 60) }
    for cadences in [often + seldom, often + [(10, 5)] + seldom.prefix(4), alternating] {
      for fault in [9.0, -9] { #expect(Self.kinds(Self.beds(cadences, fault: fault)) == ["apart: Bed 2"]) }
      let healthy = Observations(series: Self.beds(cadences, fault: 0), now: RulePlot.evening)
      let finding = try #require(AnomalyRule.finding(healthy))
      #expect(finding.severity == .info)
      // Beds with a value in one hour of three have too few hours.
      let uncompared = Evidence(json: finding.evidence)["uncompared"].compactMap { $0.text("deviceName") }
      #expect(uncompared == cadences.indices.filter { cadences[$0].0 == 180 }.map { "Bed \($0)" })
    }
  }

  /// A sensor that measures every ten minutes from `hours` ago to `until` hours ago, except in the range `lacks`. It is
  /// warmest now, by `greenhouse` degrees more in a greenhouse. For the last six hours it measures `fault` too much.
  private static func sensor(
    _ number: UInt64, greenhouse: Double = 0, hours: Double = 192, until: Double = 0, lacks: ClosedRange<Double>? = nil,
    fault: Double = 0
  ) -> SensorSeries {
    let readings = stride(from: Int(hours * 60), through: Int(until * 60), by: -10).compactMap { minutesAgo -> Point? in
      let hoursAgo = Double(minutesAgo) / 60
      if let lacks, lacks.contains(hoursAgo) { return nil }
      let sun = cos(2 * .pi * hoursAgo / 24)
      let value = 12 + 6 * sun + greenhouse * max(0, sun) + 0.1 * sin(hoursAgo * Double(7 + number))
      return Point(RulePlot.evening.advanced(byHours: -hoursAgo), value + (hoursAgo <= 6 ? fault : 0))
    }
    return SensorSeries(
      device: RulePlot.device(number), deviceName: "Sensor \(number)", sensorType: "air_temperature",
      points: buckets(readings.filter { $0.at.hours(until: RulePlot.evening) <= 10 }, minutes: 10),
      hours: buckets(readings, minutes: 60))
  }

  private static func kinds(_ series: [SensorSeries]) -> [String] {
    AnomalyRule.faults(Observations(series: series, now: RulePlot.evening)).map {
      "\($0.kind.rawValue): \($0.series.deviceName)"
    }
  }

  @Test("uses the same neighbours as before, while one's batch is still to come and when new probes join")
  func sameNeighbours() {
    func garden(_ beds: [UInt64], fault: Double = 0, batch: Double) -> [SensorSeries] {
      beds.map { Self.sensor($0, until: $0 == 2 ? batch : 0, fault: $0 == 1 ? fault : 0) }
    }
    let old = [Self.sensor(3, greenhouse: 12)]
    let new = (3...4).map { Self.sensor($0, greenhouse: 12, hours: 9) }
    for batch in [0, 1.2, 2.2, 2.8] {
      for greenhouse in [old, new] {
        #expect(Self.kinds(garden([0, 1, 2], batch: batch) + greenhouse).isEmpty)
        for fault in [8.0, -8] {
          #expect(Self.kinds(garden([0, 1, 2, 5], fault: fault, batch: batch) + greenhouse) == ["apart: Sensor 1"])
        }
      }
    }
  }

  @Test("works although every recent hour is missing from one of the sensors")
  func gaps() {
    let others = (2...9).map { number in
      Self.sensor(number, lacks: (Double(number) - 2)...(Double(number) - 1))
    }
    #expect(Self.kinds([Self.sensor(0), Self.sensor(1, fault: 5)] + others) == ["apart: Sensor 1"])
    #expect(Self.kinds([Self.sensor(0), Self.sensor(1)] + others).isEmpty)
  }

  @Test("says which sensors could not be compared, since they have no hours in common")
  func uncompared() throws {
    let seldom = Self.beds([(180, 0), (180, 60), (180, 120)], fault: 15)
    let observations = Observations(series: seldom, now: RulePlot.evening.advanced(byHours: 0.5))
    let finding = try #require(AnomalyRule.finding(observations))
    #expect(finding.title == "Nothing unusual" && !AnomalyRule.isNews(finding, observations))
    #expect(
      finding.text == "All 3 sensors measure as they should, as far as each tells by itself; air_temperature of Bed 0, "
        + "air_temperature of Bed 1 and air_temperature of Bed 2 could not be compared with neighbours.")
    #expect(Evidence(json: finding.evidence)["uncompared"].compactMap { $0.text("deviceName") }.count == 3)
    let two = Observations(series: Array(seldom.prefix(2)), now: RulePlot.evening.advanced(byHours: 0.5))
    #expect(AnomalyRule.finding(two)?.text == "All 2 sensors measure as they should.")
  }
}
