import JSON
import Values

/// The faults that were told: each lasts until its sensor is back, and not until what it measures has become usual.
/// What is told later has them in its evidence, whatever it is about.
struct StandingFaults {
  private let now: Timestamp
  private var told: [[String]: ToldFault] = [:]
  /// Those of which nothing more is said, neither that they are nor that they are over: they lasted too long.
  private var givenUp: [[String]: ToldFault] = [:]

  /// Of which sensor a fault is told.
  static func key(_ json: JSONObject) -> [String]? {
    guard let device = json.text("deviceId"), let type = json.text("sensorType") else { return nil }
    return [device, type]
  }

  private static func key(_ series: SensorSeries) -> [String] { ["\(series.device)", series.sensorType] }

  /// `last` is the evidence of what was told last.
  init(_ last: Evidence? = nil, now: Timestamp) {
    self.now = now
    for json in last.map(Self.all) ?? [] {
      guard let key = Self.key(json), let fault = ToldFault(json) else { continue }
      if fault.isOver(at: now) { givenUp[key] = fault } else { told[key] = fault }
    }
  }

  /// The faults of a finding, and those that stood beside them.
  private static func all(_ evidence: Evidence) -> [JSONObject] { evidence["faults"] + evidence["standing"] }

  /// The sensors that something is wrong with, by their devices and types, whatever their fault is; without those given
  /// up.
  static func sensors(_ evidence: Evidence, at now: Timestamp) -> Set<[String]> {
    Set(all(evidence).compactMap(key)).subtracting(StandingFaults(evidence, now: now).givenUp.keys)
  }

  /// Those that are to be remembered beside what is found, as they were told: of sensors of silent devices, which
  /// nobody has seen to be back, and those given up, for as long as they could be found anew.
  func unfound(_ faults: [SensorFault], _ observations: Observations) -> [JSONObject] {
    let found = Set(faults.map { Self.key($0.series) })
    let hidden = observations.silent.flatMap { silent in told.filter { $0.key[0] == "\(silent.device)" } }
    let known = givenUp.filter {
      !found.contains($0.key) && $0.value.foundAt.hours(until: now) <= Double(24 * AnomalyRule.usualDays)
    }
    return (hidden + known).sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value.json)
  }

  /// Whether a fault is one that was given up, and not a later one of the same sensor.
  func isGivenUp(_ fault: SensorFault) -> Bool {
    givenUp[Self.key(fault.series)].map { fault.point.at.advanced(byHours: -fault.hours) < $0.foundAt } ?? false
  }

  /// When a fault was found: now, unless it was told before.
  func foundAt(_ fault: SensorFault) -> Timestamp {
    guard let told = told[Self.key(fault.series)], told.kind == fault.kind else { return now }
    return told.foundAt
  }

  /// What is still wrong with a sensor whatever others measure.
  func byItself(_ series: SensorSeries) -> SensorFault? {
    guard let told = told[Self.key(series)] else { return nil }
    let isSo =
      switch told.kind {
      case .stuck:
        series.points.suffix { $0.at.hours(until: series.newest.at) <= FaultFinder.freshHours }
          .allSatisfy { $0.isFlat && $0.mean.rounded(places: 3) == told.value }
      case .impossible: isFar(series, told)
      case .apart, .spike, .missing: false
      }
    guard isSo else { return nil }
    return fault(series, told, expected: told.expected)
  }

  /// What was wrong with a sensor of which nothing has come since: it is not back.
  func unmeasured(_ series: SensorSeries) -> SensorFault? {
    told[Self.key(series)].map { fault(series, $0, expected: $0.expected) }
  }

  /// Whether a value is still on the far side of what it was before it jumped.
  private func isFar(_ series: SensorSeries, _ told: ToldFault) -> Bool {
    guard let excursion = SensorCharacter(series.sensorType).excursion else { return false }
    let distance = series.newest.mean - told.expected
    return told.value > told.expected ? distance > excursion : distance < -excursion
  }

  /// Whether a sensor was told to be apart from its neighbours.
  func isApart(_ series: SensorSeries) -> Bool { told[Self.key(series)].map { $0.kind == .apart } ?? false }

  /// The same if it still is, by what was usual before: outside of it, if only by little, or not to be compared.
  func apart(_ series: SensorSeries, _ neighbours: Neighbours) -> SensorFault? {
    guard let told = told[Self.key(series)], told.kind == .apart, let usual = told.usual else { return nil }
    guard let comparison = Comparison(series, neighbours, usual: usual) else {
      return fault(series, told, expected: told.expected)
    }
    guard let window = comparison.apart(by: 0) else { return nil }
    return fault(series, told, expected: window.difference - usual.median)
  }

  private func fault(_ series: SensorSeries, _ told: ToldFault, expected: Double) -> SensorFault {
    SensorFault(
      series: series, kind: told.kind, point: series.newest, expected: expected,
      hours: told.since.hours(until: told.kind == .missing ? now : series.newest.at), usual: told.usual)
  }
}
