import StationYears
import Testing
import Values

@testable import Agronomy

@Suite("The neighbours of sensors", .blocking)
struct NeighboursTests {
  /// How far points are from the median of others, each held against each.
  private static func differences(_ own: [Point], _ others: [[Point]]) -> [(at: Timestamp, value: Double)] {
    own.compactMap { point in
      let values = others.flatMap { $0.filter { $0.at == point.at } }.map(\.mean)
      guard values.count >= Neighbours.fewest, let median = Statistics.median(values) else { return nil }
      return (point.at, point.mean - median)
    }
  }

  /// Some of the steps before the evening, of values that often are the same.
  private static func readings(_ random: inout SeededGenerator) -> [(hoursAgo: Double, value: Double)] {
    RulePlot.hourly(20) { _ in Double(Int.random(in: -4...4, using: &random)) / 4 }
      .filter { _ in Int.random(in: 0..<10, using: &random) < 7 }
  }

  @Test("say what comparing each with all others says")
  func model() {
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    for count in (1...8).flatMap({ Array(repeating: $0, count: 20) }) {
      let sensors = (0..<count).map { index in
        RulePlot.series(
          "soil_moisture", [(0, 0)], device: RulePlot.device(UInt64(index)), hours: Self.readings(&random))
      }
      let neighbours = Neighbours(sensors)
      for own in sensors {
        let others = sensors.filter { $0.device != own.device }
        #expect(
          neighbours.differences(of: own.hours).elementsEqual(
            Self.differences(own.hours, others.map(\.hours)), by: ==), "seed \(seed)")
      }
    }
  }
}
