import Values

/// What sensors of one type measured, put together once by hours: what each of them is held against.
struct Neighbours {
  typealias Difference = (at: Timestamp, value: Double)

  /// The others that it takes: of two sensors, none is right.
  static let fewest = 2

  // Ascending, so that to sort what is left without one is little work.
  private let hours: [Timestamp: [Double]]

  init(_ sensors: [SensorSeries]) {
    var means: [Timestamp: [Double]] = [:]
    for hour in sensors.flatMap(\.hours) { means[hour.at, default: []].append(hour.mean) }
    hours = means.mapValues { $0.sorted() }
  }

  /// How far hours of one of the sensors are from the median of the others; without those that few others have.
  func differences(of own: [Point]) -> [Difference] {
    own.compactMap { hour in
      guard var others = hours[hour.at], others.count > Self.fewest, let place = others.firstIndex(of: hour.mean) else {
        return nil
      }
      others.remove(at: place)
      guard let median = Statistics.median(others) else { return nil }
      return (hour.at, hour.mean - median)
    }
  }
}
