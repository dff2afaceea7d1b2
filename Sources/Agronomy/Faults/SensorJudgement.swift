import Values

/// Tells which of a garden's sensors are at fault, and which cannot be compared with their neighbours.
struct SensorJudgement {
  /// The most sensors of a type that one judgement finds to have left their neighbours.
  static let maximumApart = 5

  /// How many sensors measure, of devices that are not silent.
  let judged: Int
  /// In the order of names, so that the same faults make the same title.
  private(set) var faults: [SensorFault] = []
  /// The sensors that could not be compared although they have enough neighbours, in the same order.
  private(set) var uncompared: [SensorSeries] = []

  init(_ observations: Observations, _ standing: StandingFaults) {
    let (now, silent) = (observations.now, Set(observations.silent.map(\.device)))
    let series = observations.series.filter { !silent.contains($0.device) }
    let measuring = series.filter { $0.newest.at.hours(until: now) <= AnomalyRule.maximumAgeHours }
    judged = measuring.count
    for sensors in Dictionary(grouping: measuring, by: \.sensorType).values { judge(sensors, standing) }
    for ended in series where ended.newest.at.hours(until: now) > AnomalyRule.maximumAgeHours {
      let missing =
        standing.unmeasured(ended)
        ?? observations.longestSilences[ended.device].flatMap {
          MissingSensor.fault(ended, longestSilence: $0, now: now)
        }
      if let missing { faults.append(missing) }
    }
    faults.sort { Self.order($0.series) < Self.order($1.series) }
    uncompared.sort { Self.order($0) < Self.order($1) }
  }

  private static func order(_ series: SensorSeries) -> (String, String, Identifier) {
    (series.deviceName, series.sensorType, series.device)
  }

  /// Judges sensors of one type, at least one. Those told to be apart come last, since what they measure says nothing
  /// of the others. They stay told as apart whatever else is wrong with them, since only that fault keeps what was
  /// usual.
  private mutating func judge(_ sensors: [SensorSeries], _ standing: StandingFaults) {
    var together: [SensorSeries] = []
    for one in sensors.filter({ !standing.isApart($0) }) + sensors.filter(standing.isApart) {
      let stands = standing.isApart(one) ? standing.apart(one, Neighbours(together + [one])) : standing.byItself(one)
      if let fault = stands ?? FaultFinder.fault(one), !standing.isGivenUp(fault) {
        faults.append(fault)
      } else {
        together.append(one)
      }
    }
    guard let margin = SensorCharacter(sensors[0].sensorType).neighbours else { return }
    compare(together, margin)
  }

  /// Finds the sensors that left their neighbours. Each one shifts the median that the others are compared with, and is
  /// taken out before they are judged.
  private mutating func compare(_ sensors: [SensorSeries], _ margin: Double) {
    var others = sensors
    for _ in 0..<Self.maximumApart {
      guard others.count > Neighbours.fewest else { return }
      let neighbours = Neighbours(others)
      let compared = others.map { ($0, Comparison($0, neighbours)) }
      let apart = compared.compactMap { SensorFault($0, $1, margin: margin) }
      guard let worst = apart.max(by: { abs($0.expected) < abs($1.expected) }) else {
        uncompared += compared.filter { $1 == nil }.map(\.0)
        return
      }
      faults.append(worst)
      others.removeAll { $0.device == worst.series.device }
    }
  }
}

extension SensorFault {
  /// The fault of a sensor that left its neighbours; nil when it did not.
  fileprivate init?(_ series: SensorSeries, _ comparison: Comparison?, margin: Double) {
    guard let comparison, let window = comparison.apart(by: margin) else { return nil }
    self.init(
      series: series, kind: .apart, point: series.points.last { $0.at < window.end } ?? series.newest,
      expected: window.difference - comparison.usual.median, hours: window.hours, usual: comparison.usual)
  }
}
