import Values

/// The hours of all sensors of one type, gathered once: each sensor is compared with the others' median.
struct Neighbours {
  typealias Difference = (at: Timestamp, value: Double)

  /// The fewest others to compare a sensor with: of two sensors, neither is known to be right.
  static let fewest = 2

  // Ascending, so that sorting them without one value is little work.
  private let hours: [Timestamp: [Double]]
  /// The devices whose hours these are, and when each measured last.
  private let newest: [Identifier: Timestamp]

  /// Leaves out sensors that are not known for long enough to be judged: what is usual was made without them.
  init(_ sensors: [SensorSeries]) {
    let known = sensors.filter { Comparison.hours(of: $0).before.count >= Comparison.fewestHours }
    newest = Dictionary(uniqueKeysWithValues: known.map { ($0.device, $0.newest.at) })
    var means: [Timestamp: [Double]] = [:]
    for hour in known.flatMap(\.hours) { means[hour.at, default: []].append(hour.mean) }
    hours = means.mapValues { $0.sorted() }
  }

  /// How far a sensor's hours are from the median of the others; hours that too few others have are left out.
  func differences(of own: SensorSeries, _ hours: [Point]) -> [Difference] {
    hours.compactMap { hour in
      guard let others = others(of: own, hour), let median = Statistics.median(others) else { return nil }
      return (hour.at, hour.mean - median)
    }
  }

  /// The differences of hours that others may not have sent yet. What is to come may be anything, and moves the median
  /// accordingly: of all that a difference can become, it is what is nearest to `usual`. From a sensor that has sent
  /// later hours nothing is to come: it measures too seldom to have every hour.
  func differences(of own: SensorSeries, _ hours: [Point], nearest usual: Double) -> [Difference] {
    hours.compactMap { hour in
      guard let others = others(of: own, hour) else { return nil }
      let toCome = newest.count { $0.key != own.device && $0.value < hour.at }
      func difference(ifRest value: Double) -> Double? {
        Statistics.median(others + Array(repeating: value, count: toCome)).map { hour.mean - $0 }
      }
      guard let least = difference(ifRest: .infinity), let most = difference(ifRest: -.infinity),
        least.isFinite, most.isFinite
      else { return nil }
      return (hour.at, min(max(usual, least), most))
    }
  }

  /// What the others measured in an hour of `own`; nil when they are too few.
  private func others(of own: SensorSeries, _ hour: Point) -> [Double]? {
    var others = hours[hour.at] ?? []
    if newest[own.device] != nil, let place = others.firstIndex(of: hour.mean) { others.remove(at: place) }
    return others.count >= Self.fewest ? others : nil
  }
}
