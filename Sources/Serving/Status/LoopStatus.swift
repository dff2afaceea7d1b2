/// What the housekeeping loop has told one loop of the process.
final class LoopStatus {
  /// The last report of the health checks.
  var health = HealthReport.starting
  /// The last points of the status page.
  var history: [StatusPoint] = []
  /// Whether the process is about to end: probes say so.
  var isDraining = false
}
