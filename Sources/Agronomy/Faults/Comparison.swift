import JSON
import Values

/// How far a sensor is from its neighbours' median, hour by hour: lately, and usually.
///
/// Hours, not points: sensors send at different minutes and intervals, but their hours begin together.
struct Comparison {
  /// How many hours before the newest value are looked at. A difference that is over is told for that long.
  static let lateHours = 8.0
  /// For how many hours a sensor has to be apart to be told of, and in how many of them it has to have been compared.
  static let windowHours = 2.0
  static let fewestOfWindow = 2
  /// The fewest earlier hours in which a sensor has to have been compared.
  static let fewestHours = 24
  /// The share of the week's differences that is left out at either end.
  static let outlierShare = 0.01

  /// The differences of the week before.
  struct Usual: Equatable {
    let low: Double
    let median: Double
    let high: Double

    /// By how much a difference is out of their range; zero within it.
    func excess(_ difference: Double) -> Double {
      difference > high ? difference - high : min(difference - low, 0)
    }
  }

  /// The median difference of some consecutive hours.
  struct Window {
    let end: Timestamp
    let hours: Double
    let difference: Double
  }

  let usual: Usual
  /// Ascending, at least one.
  let windows: [Window]

  /// Compares a sensor with its neighbours; nil where that cannot be done. `usual` is given where it is known already.
  init?(_ series: SensorSeries, _ neighbours: Neighbours, usual known: Usual? = nil) {
    let (before, late) = Self.hours(of: series)
    guard let usual = known ?? Self.usual(neighbours.differences(of: series, before)) else { return nil }
    self.usual = usual
    windows = Self.windows(neighbours.differences(of: series, late, nearest: usual.median))
    if windows.isEmpty { return nil }
  }

  /// Splits the whole hours into those that say what is usual, and those that are looked at.
  static func hours(of series: SensorSeries) -> (before: [Point], late: [Point]) {
    let newest = series.newest.at
    let start = newest.advanced(byHours: -lateHours)
    let whole = series.hours.filter { $0.at.hours(until: newest) >= 1 }
    return (whole.filter { $0.at < start }, whole.filter { $0.at >= start })
  }

  private static func usual(_ differences: [Neighbours.Difference]) -> Usual? {
    guard differences.count >= fewestHours else { return nil }
    let sorted = differences.map(\.value).sorted()
    let left = Int(Double(sorted.count) * outlierShare)
    return Usual(low: sorted[left], median: Statistics.median(sorted)!, high: sorted[sorted.count - 1 - left])
  }

  private static func windows(_ differences: [Neighbours.Difference]) -> [Window] {
    differences.indices.compactMap { index in
      let last = differences[index].at
      let window = differences[...index].suffix { $0.at.hours(until: last) <= windowHours }
      guard window.count >= fewestOfWindow, let middle = Statistics.median(window.map(\.value)) else { return nil }
      return Window(
        end: last.advanced(byHours: 1), hours: window.first!.at.hours(until: last) + 1, difference: middle)
    }
  }

  /// The newest window that is out of the usual range by more than `margin`.
  func apart(by margin: Double) -> Window? { windows.last { abs(usual.excess($0.difference)) > margin } }
}

extension Comparison.Usual {
  /// Reads what `write` wrote.
  init?(_ json: JSONObject) {
    guard let low = json.number("low"), let median = json.number("median"), let high = json.number("high"), low <= high
    else { return nil }
    self.init(low: low, median: median, high: high)
  }

  func write(_ json: inout JSONWriter) {
    json.member("low", low.rounded(places: 3))
    json.member("median", median.rounded(places: 3))
    json.member("high", high.rounded(places: 3))
  }
}
