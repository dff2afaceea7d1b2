import Values

/// What sensors of one type measured, put together once by hours: what each of them is held against.
struct Neighbours {
  typealias Difference = (at: Timestamp, value: Double)

  /// The others that it takes: of two sensors, none is right.
  static let fewest = 2

  // Ascending, so that to sort what is left without one is little work.
  private let hours: [Timestamp: [Double]]
  /// Whose hours these are, and when each measured last.
  private let newest: [Identifier: Timestamp]

  /// Whoever is not known for long enough to be judged judges nobody: what is usual was made without it.
  init(_ sensors: [SensorSeries]) {
    let known = sensors.filter { Comparison.hours(of: $0).before.count >= Comparison.fewestHours }
    newest = Dictionary(uniqueKeysWithValues: known.map { ($0.device, $0.newest.at) })
    var means: [Timestamp: [Double]] = [:]
    for hour in known.flatMap(\.hours) { means[hour.at, default: []].append(hour.mean) }
    hours = means.mapValues { $0.sorted() }
  }

  /// How far hours of a sensor are from the median of the others that have them; without those that few others have.
  func differences(of own: SensorSeries, _ hours: [Point]) -> [Difference] {
    hours.compactMap { hour in
      guard let others = others(of: own, hour), let median = Statistics.median(others) else { return nil }
      return (hour.at, hour.mean - median)
    }
  }

  /// The same of hours that others may not have yet, since their devices send seldom. What is to come may be anything,
  /// and moves the median so far: of what a difference can be, it is what is nearest to the usual one. Of who has sent
  /// later ones nothing is to come: it measures too seldom to have every hour.
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

  /// What the others measured in an hour of one of them; nil when these are too few.
  private func others(of own: SensorSeries, _ hour: Point) -> [Double]? {
    var others = hours[hour.at] ?? []
    if newest[own.device] != nil, let place = others.firstIndex(of: hour.mean) { others.remove(at: place) }
    return others.count >= Self.fewest ? others : nil
  }
}
