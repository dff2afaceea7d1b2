import JSON
import Values

/// Watering: how wet the soil is, how fast it dries, and when it will be dry.
///
/// Each probe is judged by itself and by its own ground.
package enum WateringRule {
  /// How far back points are looked at, in hours.
  package static let windowHours: Int64 = 72
  /// How many days back the rule has to know what was said.
  package static let memoryDays = 30.0
  /// A probe without a value for longer, in hours, says nothing about now.
  package static let maximumAgeHours = 24.0

  /// Returns the finding; nil when no probe has measured soil moisture lately.
  package static func finding(_ observations: Observations) -> Finding? {
    let probes = probes(observations)
    guard !probes.isEmpty else { return nil }
    let (severity, title, named) = verdict(probes)
    let names = named.map(\.series.deviceName)
    let text = (named.isEmpty ? probes : named).prefix(Finding.maximumNames)
      .map { $0.sentence(observations.clock(of: $0.series.device)) }.joined(separator: " ")
    return Finding(
      severity, named.isEmpty ? title : "\(title): \(Finding.list(names))", text,
      devicesLeftOut: observations.devicesLeftOut
    ) { json in
      json.member("horizonHours", MoistureProbe.horizonHours)
      json.key("probes")
      json.array { json in for probe in probes { json.object(probe.write) } }
    }
  }

  /// The probes that have measured lately, in the order of their names.
  private static func probes(_ observations: Observations) -> [MoistureProbe] {
    observations.of(.soilMoisture)
      .filter { $0.newest.at.hours(until: observations.now) <= maximumAgeHours }
      .map { MoistureProbe($0, observations.limits[$0.device] ?? MoistureLimits(.assumed)) }
      .sorted { ($0.series.deviceName, $0.series.device) < ($1.series.deviceName, $1.series.device) }
  }

  private static func verdict(_ probes: [MoistureProbe]) -> (Severity, title: String, named: [MoistureProbe]) {
    let dry = probes.filter(\.isDry)
    if !dry.isEmpty { return (.warning, "Water now", dry) }
    let inSoil = probes.filter { $0.fall == nil }
    let drying = inSoil.filter { $0.hoursUntilDry != nil }
    if !drying.isEmpty { return (.notice, "Water soon", drying) }
    let out = probes.filter { $0.fall != nil }
    if !out.isEmpty { return (.notice, "Perhaps not in the soil", out) }
    let wet = inSoil.filter(\.isWet)
    return wet.isEmpty ? (.info, "No watering needed", []) : (.notice, "Too wet", wet)
  }

  /// Whether a finding is to be told without being asked for: whether a probe is dry that no warning has called dry
  /// since it was wet.
  package static func isNews(_ finding: Finding, _ observations: Observations) -> Bool {
    guard finding.severity == .warning else { return false }
    let called = calledDry(observations.said.filter { $0.isTold && $0.severity == .warning })
    return probes(observations).contains { probe in
      // What only the newest point says, its next reading may take back.
      guard let since = probe.drySince, since < probe.series.newest.at else { return false }
      guard let last = called["\(probe.series.device)"] else { return true }
      return isAnew(probe, since: since, after: last, now: observations.now)
    }
  }

  /// When a probe was called dry, and its limit then.
  private typealias CalledDry = (at: Timestamp, dryBelow: Double)

  /// When each device's probe was last called dry, by the device's id.
  private static func calledDry(_ warnings: [EarlierFinding]) -> [String: CalledDry] {
    var called: [String: CalledDry] = [:]
    for warning in warnings.sorted(by: { $0.at < $1.at }) {
      for probe in warning.evidence["probes"] where probe.text("drySince") != nil {
        guard let device = probe.text("deviceId"), let dryBelow = probe.number("dryBelow") else { continue }
        called[device] = (warning.at, dryBelow)
      }
    }
    return called
  }

  /// Whether a probe that is dry since `since` was wet after it had been called dry, for more than one point: by the
  /// limit of then or of now.
  private static func isAnew(
    _ probe: MoistureProbe, since: Timestamp, after called: CalledDry, now: Timestamp
  ) -> Bool {
    let points = probe.series.points
    let first = points[0].at
    if called.at < first {
      // It was not dry when the look began, or nobody knows what it was for a day before its first point.
      let known = max(called.at, now.advanced(byHours: -Double(windowHours)))
      if since > first || known.hours(until: first) > maximumAgeHours { return true }
    }
    let wet = min(called.dryBelow, probe.limits.dryBelow) + MoistureProbe.hysteresis
    return points.indices.contains { index in
      guard points[index].at > called.at else { return false }
      let level = SoilLevel(points[...index])
      return level.percent > wet && !level.hasJustRisen
    }
  }
}
