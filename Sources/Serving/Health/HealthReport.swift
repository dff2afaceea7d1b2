import JSON
import Reactor

/// How well a check or the whole server is, from the best.
enum HealthStatus: String, CaseIterable, Sendable {
  case healthy, degraded, unhealthy
}

/// The last result of one check.
struct HealthCheck: Sendable {
  let name: String
  let status: HealthStatus
  /// How long the check took.
  let latencyNanoseconds: UInt64
  /// When it ended, in nanoseconds of the monotonic clock.
  let endedAt: UInt64
  /// Whether there was no answer in time, in contrast to a bad one.
  var isSilent = false
  /// Further numbers, such as the free share of a disk.
  var figures: [(name: StaticString, value: Double)] = []

  /// Milliseconds since it ended.
  func ageMilliseconds(at now: UInt64) -> Double { Double(now - min(now, endedAt)) / 1e6 }
  var latencyMilliseconds: Double { Double(latencyNanoseconds) / 1e6 }

  /// Writes its status, latency and age, not its name and figures.
  func write(_ json: inout JSONWriter, at now: UInt64) {
    json.member("status", status.rawValue)
    json.member("latencyMs", (latencyMilliseconds * 1_000).rounded() / 1_000)
    json.member("ageMs", ageMilliseconds(at: now).rounded())
  }
}

/// The last results of all checks. Probes answer from it, so that no store can keep a probe waiting.
struct HealthReport: Sendable {
  /// In the order in which reports show them.
  let checks: [HealthCheck]
  /// Whether migrations are done, the database was reached, and Redis was, or is known to be away (and not to refuse
  /// this server's credentials).
  let isStarted: Bool

  /// The report before the first checks have ended.
  static let starting = HealthReport(checks: [], isStarted: false)

  subscript(name: String) -> HealthCheck? { checks.first { $0.name == name } }

  /// `unhealthy` when a store is gone, `degraded` when anything else is not well.
  var status: HealthStatus {
    if !isStarted || checks.contains(where: { $0.status == .unhealthy }) { return .unhealthy }
    return checks.contains { $0.status == .degraded } ? .degraded : .healthy
  }
}
