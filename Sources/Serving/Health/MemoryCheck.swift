import Reactor
import Settings

/// Checks the memory that this process has. Coming near the control group's limit makes the server degraded.
struct MemoryCheck {
  /// Nil where there is no limit.
  let limitBytes: UInt64?
  /// The share of the limit beyond which it is degraded.
  let mostUsedShare: Double

  init(_ configuration: Configuration) {
    limitBytes = configuration.machine.memoryLimitBytes
    mostUsedShare = configuration.health.memoryUsedShare
  }

  func run() -> HealthCheck {
    let start = Clock.monotonic()
    let resident = Double(ProcessMemory.residentBytes)
    let limit = limitBytes.map { Double($0) } ?? Double.infinity
    var figures: [(name: StaticString, value: Double)] = [("residentBytes", resident)]
    if limit.isFinite { figures.append(("limitBytes", limit)) }
    let end = Clock.monotonic()
    return HealthCheck(
      name: "memory", status: resident > limit * mostUsedShare ? .degraded : .healthy, latencyNanoseconds: end - start,
      endedAt: end, figures: figures)
  }
}
