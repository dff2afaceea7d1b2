import Metrics
import Values
import Web

/// The last fifteen minutes of the server in points of five seconds, made from the metrics on the housekeeping loop.
///
/// So a visitor sees at once what has been, and only the server works out quantiles.
final class StatusHistory {
  static let intervalSeconds = 5
  /// Fifteen minutes.
  static let maximumPoints = 180

  private(set) var points: [StatusPoint] = []
  private let instruments: Instruments
  private var last: Reading

  /// What the counters said at a moment.
  private struct Reading {
    let nanoseconds: UInt64
    let requests: UInt64
    let errors: UInt64
    let readings: UInt64
    let responseTimes: Distribution
  }

  /// Begins to watch; `now` is in nanoseconds of the monotonic clock.
  init(_ instruments: Instruments, now: UInt64) {
    self.instruments = instruments
    last = Self.read(instruments, now)
  }

  /// Appends a point for the time since the last one; called once the gauges are up to date.
  func record(now: UInt64, at: Timestamp, report: HealthReport) {
    let reading = Self.read(instruments, now)
    defer { last = reading }
    let seconds = Double(now &- last.nanoseconds) / 1e9
    guard seconds > 0 else { return }
    let requests = Double(reading.requests &- last.requests)
    let times = reading.responseTimes.since(last.responseTimes)
    var point = StatusPoint(at: at)
    point.requestsPerSecond = requests / seconds
    if requests > 0 { point.errorShare = Double(reading.errors &- last.errors) / requests }
    point.p50Milliseconds = times.quantile(0.5).map { $0 * 1e3 }
    point.p95Milliseconds = times.quantile(0.95).map { $0 * 1e3 }
    point.p99Milliseconds = times.quantile(0.99).map { $0 * 1e3 }
    point.readingsPerSecond = Double(reading.readings &- last.readings) / seconds
    point.openConnections = Int(instruments.requests.openConnections.total)
    point.activeConnections = Int(instruments.requests.activeConnections.total)
    point.databaseActive = Int(instruments.stores.databaseActive.total)
    point.databaseIdle = Int(instruments.stores.databaseIdle.total)
    point.redisConnections = Int(instruments.stores.redisActive.total)
    point.databaseMilliseconds = Self.latency(report["database"])
    point.redisMilliseconds = Self.latency(report["redis"])
    if points.count == Self.maximumPoints { points.removeFirst() }
    points.append(point)
  }

  private static func latency(_ check: HealthCheck?) -> Double? {
    guard let check, check.status == .healthy else { return nil }
    return check.latencyMilliseconds
  }

  private static func read(_ instruments: Instruments, _ now: UInt64) -> Reading {
    Reading(
      nanoseconds: now, requests: instruments.requests.count.total,
      errors: instruments.requests.count.total(where: "status_class", is: "5xx"),
      readings: instruments.readings.total(where: "status", is: "accepted"),
      responseTimes: instruments.requests.responseTime.distribution)
  }
}
