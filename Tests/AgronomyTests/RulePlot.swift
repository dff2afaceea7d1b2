import Agronomy
import Values

/// Series of points for tests of rules, all seen from one evening.
enum RulePlot {
  // A Saturday, eight in the evening by the sun at longitude 0°.
  static let evening = Timestamp("2026-11-21T20:00:00Z")!

  static func device(_ number: UInt64) -> Identifier { Identifier(high: 1, low: number) }

  /// A finding as it is remembered: told by the pass, or made for a user who asked.
  static func said(_ finding: Finding, at moment: Timestamp, isTold: Bool = true) -> EarlierFinding {
    EarlierFinding(at: moment, severity: finding.severity, evidence: finding.evidence, isTold: isTold)
  }

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

  /// A value every ten minutes for `hours`.
  static func tens(_ hours: Int, _ value: (Double) -> Double) -> [(hoursAgo: Double, value: Double)] {
    (0...hours * 6).reversed().map { (Double($0) / 6, value(Double($0) / 6)) }
  }
}
