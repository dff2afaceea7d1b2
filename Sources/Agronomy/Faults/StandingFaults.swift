import JSON
import Values

/// The faults that were told. Each lasts until its sensor is back, not until what it measures has become usual, and is
/// in the evidence of all that is told later.
struct StandingFaults {
  private let now: Timestamp
  private var told: [[String]: ToldFault] = [:]
  /// Faults that lasted too long: nothing more is said of them, neither that they are nor that they are over.
  private var givenUp: [[String]: ToldFault] = [:]

  /// The device and the type of the sensor that a fault in evidence is of.
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

  /// The device and the type of each sensor with a fault, of whatever kind; without those given up.
  static func sensors(_ evidence: Evidence, at now: Timestamp) -> Set<[String]> {
    Set(all(evidence).compactMap(key)).subtracting(StandingFaults(evidence, now: now).givenUp.keys)
  }

  /// The faults to be remembered beside those found, as they were told: those of silent devices, whose sensors cannot
  /// be seen to be back, and those given up, for as long as they could be found anew.
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

  /// The told fault of a sensor, where its own values show that it lasts.
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

  /// The told fault of a sensor that has sent nothing since: it is not back.
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

  /// The told fault of a sensor that is still apart: out of what was usual before, if only by little, or not to be
  /// compared.
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
