import Web

/// `dependency_up` by the last report.
enum DependencyGauges {
  static func set(_ report: HealthReport, _ instruments: Instruments, shard: Int) {
    for check in report.checks {
      instruments.dependencyUp.child(shard: shard, check.name).set(check.status == .healthy ? 1 : 0)
    }
  }
}
