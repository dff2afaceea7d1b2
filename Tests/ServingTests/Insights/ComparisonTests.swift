import Glibc
import Testing
import Values

@testable import Agronomy

@Suite("Sensors beside their neighbours", .blocking)
struct ComparisonTests {
  /// Three beds of which each sends every so many minutes, at minutes of its own, and one measures more for six hours.
  private static func beds(everyMinutes: Int, phases: [Int], fault: Double) -> [SensorSeries] {
    phases.enumerated().map { bed, phase in
      let readings = stride(from: 8 * 24 * 60 - phase, through: 0, by: -everyMinutes).map { minutesAgo in
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

  /// Put together as the server does it.
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
    "are found to have left them however seldom all of them send, and each at its own minute",
    arguments: [5, 10, 12, 15, 20, 30, 45, 60])
  func cadences(minutes: Int) throws {
    for phases in [[0, 0, 0], [0, 3, 4], [0, minutes / 3, minutes / 2]] {
      let faulty = Self.beds(everyMinutes: minutes, phases: phases, fault: 15)
      let found = AnomalyRule.faults(Observations(series: faulty, now: RulePlot.evening))
      #expect(found.map { "\($0.kind.rawValue): \($0.series.deviceName)" } == ["apart: Bed 2"])
      let healthy = Observations(
        series: Self.beds(everyMinutes: minutes, phases: phases, fault: 0), now: RulePlot.evening)
      #expect(AnomalyRule.finding(healthy)?.text == "All 3 sensors measure as they should.")
    }
  }

  @Test("are not called well when nothing of the same hours can be compared")
  func uncompared() throws {
    let seldom = Self.beds(everyMinutes: 180, phases: [0, 60, 120], fault: 15)
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
