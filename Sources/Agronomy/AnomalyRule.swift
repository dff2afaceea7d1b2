import JSON
import Values

/// Anomalies: sensors that something is wrong with, and devices that fell silent. What is merely weather is none.
package enum AnomalyRule {
  /// What is looked at, in hours before now, and the days before that which say what is usual.
  package static let windowHours: Int64 = 10
  package static let usualDays: Int64 = 8
  /// A sensor without any value for so long was taken away.
  package static let maximumAgeHours = 3.0

  /// The most sensors of a type that are found to have left their neighbours.
  static let maximumApart = 5

  /// Nil when no sensor can be judged and no device is silent.
  package static func finding(_ observations: Observations) -> Finding? {
    let silent = observations.silent.sorted { ($0.name, $0.device) < ($1.name, $1.device) }
    let judged = observations.series.filter { series in
      series.newest.at.hours(until: observations.now) <= maximumAgeHours
        && !silent.contains { $0.device == series.device }
    }
    guard !judged.isEmpty || !silent.isEmpty else { return nil }
    let faults = faults(judged)
    let severity: Severity = faults.isEmpty && silent.isEmpty ? .info : .notice
    return Finding(severity, title(faults, silent), text(faults, silent, observations, judged.count)) { json in
      json.member("sensors", judged.count)
      json.key("faults")
      json.array { json in for fault in faults { json.object { fault.write(&$0) } } }
      json.key("silent")
      json.array { json in
        for device in silent {
          json.object { json in
            json.member("deviceId", device.device)
            json.member("deviceName", device.name)
            json.member("lastSeenAt", device.seenAt)
          }
        }
      }
    }
  }

  /// In the order of names, so that what is the same is called the same.
  package static func faults(_ series: [SensorSeries]) -> [SensorFault] {
    let found = Dictionary(grouping: series, by: \.sensorType).values.flatMap(faults(ofType:))
    return found.sorted {
      ($0.series.deviceName, $0.series.sensorType, $0.series.device)
        < ($1.series.deviceName, $1.series.sensorType, $1.series.device)
    }
  }

  /// What is wrong with sensors of one type, at least one. One that left its neighbours also draws what these are held
  /// against: it is taken out before the others are judged.
  private static func faults(ofType series: [SensorSeries]) -> [SensorFault] {
    var found = series.compactMap(FaultFinder.faultByItself)
    guard let margin = SensorCharacter(series[0].sensorType).neighbours else { return found }
    var others = series.filter { one in !found.contains { $0.series.device == one.device } }
    for _ in 0..<maximumApart {
      let neighbours = Neighbours(others)
      let apart = others.compactMap { FaultFinder.apart($0, neighbours, margin: margin) }
      guard let worst = apart.max(by: { abs($0.expected) < abs($1.expected) }) else { break }
      found.append(worst)
      others.removeAll { $0.device == worst.series.device }
    }
    return found
  }

  /// Whether a finding is to be told without being asked for: what is wrong is not what was wrong when it was last told.
  package static func isNews(_ finding: Finding, _ observations: Observations) -> Bool {
    let last = observations.said.filter(\.isTold).max { $0.at < $1.at }
    return wrong(Evidence(json: finding.evidence)) != (last.map { wrong($0.evidence) } ?? [])
  }

  /// What is wrong: sensors by their devices and types, whatever their fault is, and silent devices.
  private static func wrong(_ evidence: Evidence) -> Set<[String?]> {
    Set(
      evidence["faults"].map { [$0.text("deviceId"), $0.text("sensorType")] }
        + evidence["silent"].map { [$0.text("deviceId")] })
  }

  private static func title(_ faults: [SensorFault], _ silent: [SilentDevice]) -> String {
    let strange = faults.map { "\($0.series.sensorType) of \($0.series.deviceName)" }
    switch (strange.isEmpty, silent.isEmpty) {
    case (true, true): return "Nothing unusual"
    case (false, true): return "Unusual: \(Finding.list(strange))"
    case (true, false): return "Silent: \(Finding.list(silent.map(\.name)))"
    case (false, false):
      return "Unusual: \(Finding.list(strange)); silent: \(Finding.list(silent.map(\.name)))"
    }
  }

  private static func text(
    _ faults: [SensorFault], _ silent: [SilentDevice], _ observations: Observations, _ judged: Int
  ) -> String {
    var sentences = faults.prefix(Finding.maximumNames).map { $0.sentence(observations.clock(of: $0.series.device)) }
    sentences += silent.prefix(Finding.maximumNames).map { device in
      let minutes = device.seenAt.hours(until: observations.now) * 60
      let long =
        minutes < 120 ? "\(minutes.sentenceText(places: 0)) minutes" : "\((minutes / 60).sentenceText(places: 0)) hours"
      let since = observations.clock(of: device.device).text(device.seenAt)
      return "\(device.name) has been silent for \(long), since \(since)."
    }
    if sentences.isEmpty {
      return judged == 1 ? "The sensor measures as it should." : "All \(judged) sensors measure as they should."
    }
    return sentences.joined(separator: " ")
  }
}
