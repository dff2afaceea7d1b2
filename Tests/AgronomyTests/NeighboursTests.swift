import TestSupport
import Testing
import Values

@testable import Agronomy

@Suite("The neighbours of sensors")
struct NeighboursTests {
  /// A plain model of `Neighbours.differences`: the distance of each point from the median of the others. A value that
  /// another sensor has not sent yet may be anything, far above all others or far below.
  private static func differences(
    _ own: [Point], _ others: [SensorSeries], nearest usual: Double? = nil
  ) -> [(at: Timestamp, value: Double)] {
    own.compactMap { point in
      let values = others.flatMap { $0.hours.filter { $0.at == point.at } }.map(\.mean)
      guard values.count >= Neighbours.fewest, let median = Statistics.median(values) else { return nil }
      guard let usual else { return (point.at, point.mean - median) }
      let late = others.filter { $0.newest.at < point.at }.count
      let bounds = [1e9, -1e9].map { point.mean - Statistics.median(values + Array(repeating: $0, count: late))! }
      return bounds.contains { abs($0) > 1e6 } ? nil : (point.at, min(max(usual, bounds[0]), bounds[1]))
    }
  }

  /// A sensor that ended up to eight hours ago, with gaps, and with values that are often equal to those of others. It
  /// has enough hours for `Neighbours` to count it.
  private static func sensor(_ number: Int, _ random: inout SeededGenerator) -> SensorSeries {
    let newest = Double(Int.random(in: 0...8, using: &random))
    let hours = RulePlot.hourly(100) { _ in Double(Int.random(in: -4...4, using: &random)) / 4 }
      .filter { $0.hoursAgo >= newest && Int.random(in: 0..<10, using: &random) < 7 }
    return RulePlot.series(
      "soil_moisture", [(newest, 0)], device: RulePlot.device(UInt64(number)), hours: hours)
  }

  @Test("yield the same differences as comparing each sensor with all others")
  func model() {
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    for count in (1...8).flatMap({ Array(repeating: $0, count: 20) }) {
      let sensors = (0..<count).map { Self.sensor($0, &random) }
      let neighbours = Neighbours(sensors)
      for own in sensors {
        let others = sensors.filter { $0.device != own.device }
        #expect(
          neighbours.differences(of: own, own.hours).elementsEqual(
            Self.differences(own.hours, others), by: ==), "seed \(seed)")
        #expect(
          neighbours.differences(of: own, own.hours, nearest: 0.25).elementsEqual(
            Self.differences(own.hours, others, nearest: 0.25), by: ==), "seed \(seed)")
      }
    }
  }
}
