import Agronomy
import StationYears
import TestSupport
import Values

/// What the rules report about a healthy year, hour by hour, and how soon they find injected faults.
struct FaultEvaluation {
  enum Fault: String, CaseIterable {
    case stuck, spike, drift, offset, gap
    /// An offset where all devices send once an hour, each at its own minutes.
    case hourlyOffset = "hourly offset"
    /// An offset where each bed has a second sensor that measures every few hours, all of these at the same time.
    case offsetBesideSeldom = "offset beside seldom"

    /// Whether it is still there after two days.
    var lasts: Bool { self != .spike && self != .gap }
  }
  static let anomaliesOfAYear = 12
  static let foundShare = 0.9
  static let hoursToFind = 6
  /// How long a fault lasts, and the interval at which it is checked again once found, in hours.
  static let hoursOfFault = 48
  static let hoursOfLooks = 3
  /// The interval of sensors that measure seldom.
  static let hoursOfSeldom = 3
  /// The number of injected faults of each kind.
  static let injections = 60

  let station: StationYear
  private let garden: YearGarden
  private(set) var anomalies = 0
  /// Anomalies where one bed is in a greenhouse, and another's device sends every four hours.
  private(set) var mixedAnomalies = 0
  private(set) var waterings = 0
  private(set) var found: [Fault: Int] = [:]
  private(set) var tried: [Fault: Int] = [:]
  /// The number of faults found that last to the end, and of those that were named until the end.
  private(set) var (lasting, named) = (0, 0)

  init(_ station: StationYear, seed: UInt64) {
    self.station = station
    garden = YearGarden(station, seed: seed)
    healthyYear()
    mixedAnomalies = news(of: garden.mixedAir)
    var random = SeededGenerator(seed: seed &+ 7)
    for fault in Fault.allCases {
      for _ in 0..<Self.injections { inject(fault, &random) }
    }
  }

  private mutating func healthyYear() {
    var dry: [EarlierFinding] = []
    let moisture = garden.sensors.filter { $0.type == KnownSensor.soilMoisture.rawValue }
    for step in stride(from: 24 * StationYear.stepsPerHour, to: StationYear.steps, by: StationYear.stepsPerHour) {
      let width = 3 * StationYear.stepsPerHour / 2 / 6
      let soil = Observations(
        series: moisture.map {
          $0.series(at: step, hours: Int(WateringRule.windowHours), every: max(1, width), days: 0)
        },
        now: station.time(step), longitude: station.longitude,
        limits: Dictionary(uniqueKeysWithValues: moisture.map { ($0.device, MoistureLimits(YearGarden.soil)) }),
        said: dry.filter { $0.at.advanced(byDays: WateringRule.memoryDays) >= station.time(step) })
      if let finding = WateringRule.finding(soil), WateringRule.isNews(finding, soil) {
        dry.append(EarlierFinding(at: soil.now, finding))
      }
    }
    (anomalies, waterings) = (news(of: garden.sensors), dry.count)
  }

  /// The number of anomalies reported in a healthy year.
  private func news(of sensors: [YearSensor]) -> Int {
    var said: [EarlierFinding] = []
    for step in stride(from: 24 * StationYear.stepsPerHour, to: StationYear.steps, by: StationYear.stepsPerHour) {
      let observations = observations(sensors, step, said)
      guard let finding = AnomalyRule.finding(observations), AnomalyRule.isNews(finding, observations) else { continue }
      said.append(EarlierFinding(at: observations.now, finding))
    }
    return said.count
  }

  private func observations(
    _ sensors: [YearSensor], _ step: Int, _ said: [EarlierFinding] = [], silent: [SilentDevice] = []
  ) -> Observations {
    Observations(
      series: sensors.map {
        $0.series(at: step, hours: Int(AnomalyRule.windowHours), days: Int(AnomalyRule.usualDays))
      }, now: station.time(step), longitude: station.longitude, silent: silent, said: said.suffix(1))
  }

  // MARK: Faults

  /// Injects a fault into a sensor at a random moment, and checks whether it is found in time.
  private mutating func inject(_ fault: Fault, _ random: inout SeededGenerator) {
    let step = Int.random(
      in: 12 * 24 * StationYear.stepsPerHour..<StationYear.steps - Self.hoursOfFault * StationYear.stepsPerHour,
      using: &random)
    let candidates = garden.sensors.filter { Self.applies(fault, to: $0.type) }
    let chosen = candidates.randomElement(using: &random)!
    tried[fault, default: 0] += 1
    let end = step + Self.hoursToFind * StationYear.stepsPerHour
    if fault == .gap {
      let span = OnlineSpan(medianSilenceSeconds: StationYear.stepMilliseconds / 1_000)
      if !span.isOnline(seen: station.time(step), now: station.time(end)) { found[fault, default: 0] += 1 }
      return
    }
    var sensors = garden.sensors.filter { $0.type == chosen.type }
    let index = sensors.firstIndex { $0.device == chosen.device }!
    if fault == .hourlyOffset {
      for place in sensors.indices {
        sensors[place].sends = (StationYear.stepsPerHour, Int.random(in: 0..<StationYear.stepsPerHour, using: &random))
      }
    }
    if fault == .offsetBesideSeldom {
      let every = Self.hoursOfSeldom * StationYear.stepsPerHour
      let from = Int.random(in: 0..<every, using: &random)
      sensors += sensors.map { $0.second(every: every, from: from) }
    }
    sensors[index].values = Self.broken(chosen.values, fault, at: step, type: chosen.type, &random)
    // A pass each hour, at some minute of it; a spike has to be seen by the first.
    let first = step + Int.random(in: 0..<StationYear.stepsPerHour, using: &random)
    let passes = fault == .spike ? [first] : Array(stride(from: first, through: end, by: StationYear.stepsPerHour))
    guard let pass = passes.first(where: { isNamed(chosen, sensors, $0) }) else { return }
    found[fault, default: 0] += 1
    guard fault.lasts else { return }
    lasting += 1
    let last = step + (Self.hoursOfFault - 1) * StationYear.stepsPerHour
    if isNamed(chosen, sensors, from: pass, through: last) { named += 1 }
  }

  private func isNamed(
    _ sensor: YearSensor, _ sensors: [YearSensor], _ step: Int, _ said: [EarlierFinding] = []
  ) -> Bool {
    AnomalyRule.faults(observations(sensors, step, said)).contains { $0.series.device == sensor.device }
  }

  /// Whether a fault reported at a step is found by all later passes, which know what was reported.
  private func isNamed(_ sensor: YearSensor, _ sensors: [YearSensor], from first: Int, through last: Int) -> Bool {
    var said: [EarlierFinding] = []
    return stride(from: first, through: last, by: Self.hoursOfLooks * StationYear.stepsPerHour).allSatisfy { step in
      let observations = observations(sensors, step, said)
      guard let finding = AnomalyRule.finding(observations) else { return false }
      if AnomalyRule.isNews(finding, observations) { said.append(EarlierFinding(at: observations.now, finding)) }
      return isNamed(sensor, sensors, step, said)
    }
  }

  /// Beds are watered one by one, so a probe that drifts up cannot be told from one that was watered.
  private static func applies(_ fault: Fault, to type: String) -> Bool {
    type != KnownSensor.soilMoisture.rawValue || fault == .stuck || fault == .spike || fault == .gap
  }

  private static func broken(
    _ healthy: [Double], _ fault: Fault, at step: Int, type: String, _ random: inout SeededGenerator
  ) -> [Double] {
    var values = healthy
    let known = KnownSensor(rawValue: type)!
    let size = size(known)
    let up =
      known == .soilMoisture
      ? false
      : values[step] + size > known.range.upperBound
        ? false
        : values[step] - size < known.range.lowerBound ? true : Bool.random(using: &random)
    let change = up ? size : -size
    for index in step..<min(step + hoursOfFault * StationYear.stepsPerHour, values.count) {
      let hours = Double(index - step) / Double(StationYear.stepsPerHour)
      switch fault {
      case .stuck: values[index] = healthy[step]
      case .spike: if index == step { values[index] += change * 1.5 }
      case .drift: values[index] += change * hours / 4
      case .offset, .hourlyOffset, .offsetBesideSeldom: values[index] += change
      case .gap: break
      }
      values[index] = min(max(values[index], known.range.lowerBound), known.range.upperBound)
    }
    return values
  }

  /// How far a broken sensor is off: the effect of a loose contact, a wet probe or a lost shield.
  private static func size(_ sensor: KnownSensor) -> Double {
    switch sensor {
    case .airHumidity: 35
    case .soilMoisture: 10
    case .soilTemperature: 7
    default: 8
    }
  }

  // MARK: Figures

  var row: [Figure] {
    [
      Figure(station.name), .count(anomalies, atMost: Self.anomaliesOfAYear),
      .count(mixedAnomalies, atMost: Self.anomaliesOfAYear), Figure("\(garden.dryings.count)"),
      .count(waterings, atMost: garden.dryings.count),
    ]
      + Fault.allCases.map { fault in
        .share(Double(found[fault, default: 0]) / Double(tried[fault, default: 1]), atLeast: Self.foundShare)
      } + [.share(Double(named) / Double(max(1, lasting)), atLeast: Self.foundShare)]
  }

  static var head: [String] {
    ["Station", "Anomalies", "Of a mixed garden", "Times dry", "Waterings"]
      + Fault.allCases.map { "\($0.rawValue) found" } + ["Named to the end"]
  }
}
