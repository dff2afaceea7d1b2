import JSON
import Values

/// Anomalies: sensors with a fault, and devices that fell silent. What is merely weather is none.
package enum AnomalyRule {
  /// How far back points are looked at, in hours, and the whole hours that say what is usual, in days.
  package static let windowHours: Int64 = 10
  package static let usualDays: Int64 = 8
  /// A sensor without a value for longer, in hours, says nothing about now.
  package static let maximumAgeHours = 3.0

  /// Returns the finding; nil when no sensor can be judged and no device is silent.
  package static func finding(_ observations: Observations) -> Finding? {
    let silent = observations.silent.sorted { ($0.name, $0.device) < ($1.name, $1.device) }
    let standing = standing(observations)
    let judgement = SensorJudgement(observations, standing)
    let faults = judgement.faults
    guard judgement.judged > 0 || !faults.isEmpty || !silent.isEmpty else { return nil }
    let severity: Severity = faults.isEmpty && silent.isEmpty ? .info : .notice
    return Finding(
      severity, title(faults, silent), text(judgement, silent, observations),
      devicesLeftOut: observations.devicesLeftOut
    ) { json in
      json.member("sensors", judgement.judged)
      json.key("faults")
      json.array { json in
        for fault in faults {
          json.object { fault.write(&$0, foundAt: standing.foundAt(fault)) }
        }
      }
      json.key("standing")
      json.array { json in
        for fault in standing.unfound(faults, observations) { json.value(JSONValue.object(fault)) }
      }
      json.key("uncompared")
      json.array { json in for series in judgement.uncompared { json.object { write(series, &$0) } } }
      json.key("silent")
      json.array { json in for device in silent { json.object { write(device, &$0) } } }
    }
  }

  /// The faults of the garden's sensors.
  package static func faults(_ observations: Observations) -> [SensorFault] {
    SensorJudgement(observations, standing(observations)).faults
  }

  private static func write(_ series: SensorSeries, _ json: inout JSONWriter) {
    json.member("deviceId", series.device)
    json.member("deviceName", series.deviceName)
    json.member("sensorType", series.sensorType)
  }

  private static func write(_ device: SilentDevice, _ json: inout JSONWriter) {
    json.member("deviceId", device.device)
    json.member("deviceName", device.name)
    json.member("lastSeenAt", device.seenAt)
  }

  private static func lastTold(_ observations: Observations) -> EarlierFinding? {
    observations.said.filter(\.isTold).max { $0.at < $1.at }
  }

  private static func standing(_ observations: Observations) -> StandingFaults {
    StandingFaults(lastTold(observations)?.evidence, now: observations.now)
  }

  /// Whether a finding is to be told without being asked for: whether what is wrong differs from what was told last.
  /// That a device is gone, or that a fault was given up, is no such difference; nor is anything of a device that is
  /// gone, whose values a file may still bring.
  package static func isNews(_ finding: Finding, _ observations: Observations) -> Bool {
    let devices = Set(observations.devices.map { "\($0)" })
    func present(_ evidence: Evidence) -> Set<[String]> {
      wrong(evidence, at: observations.now).filter { devices.contains($0[0]) }
    }
    let found = present(Evidence(json: finding.evidence))
    guard let last = lastTold(observations) else { return !found.isEmpty }
    return found != present(last.evidence)
  }

  /// What is wrong: the sensors with a fault, also those of silent devices, and the silent devices.
  private static func wrong(_ evidence: Evidence, at now: Timestamp) -> Set<[String]> {
    StandingFaults.sensors(evidence, at: now)
      .union(evidence["silent"].compactMap { json in json.text("deviceId").map { [$0] } })
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
    _ judgement: SensorJudgement, _ silent: [SilentDevice], _ observations: Observations
  ) -> String {
    var sentences = judgement.faults.prefix(Finding.maximumNames).map {
      $0.sentence(observations.clock(of: $0.series.device))
    }
    sentences += silent.prefix(Finding.maximumNames).map { device in
      let minutes = device.seenAt.hours(until: observations.now) * 60
      let long =
        minutes < 120 ? "\(minutes.sentenceText(places: 0)) minutes" : "\((minutes / 60).sentenceText(places: 0)) hours"
      let since = observations.clock(of: device.device).text(device.seenAt)
      return "\(device.name) has been silent for \(long), since \(since)."
    }
    guard sentences.isEmpty else { return sentences.joined(separator: " ") }
    let (judged, uncompared) = (judgement.judged, judgement.uncompared)
    let well = judged == 1 ? "The sensor measures as it should" : "All \(judged) sensors measure as they should"
    guard !uncompared.isEmpty else { return well + "." }
    let names = Finding.list(uncompared.map { "\($0.sensorType) of \($0.deviceName)" })
    return "\(well), as far as each tells by itself; \(names) could not be compared with neighbours."
  }
}
