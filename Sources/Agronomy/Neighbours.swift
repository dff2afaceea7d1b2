import Values

/// What sensors of one type measured, put together once by time: what each of them is held against.
struct Neighbours {
  /// The others that it takes: of two sensors, none is right.
  static let fewest = 2

  // Ascending, so that to sort what is left without one is little work.
  private let points: [Timestamp: [Double]]
  private let hours: [Timestamp: [Double]]

  init(_ sensors: [SensorSeries]) {
    points = Self.means(sensors.map(\.points))
    hours = Self.means(sensors.map(\.hours))
  }

  /// How far points of one of the sensors are from the median of the others; without those that few others have.
  func differences(ofPoints own: [Point]) -> [(at: Timestamp, value: Double)] { Self.differences(own, points) }
  /// The same of its hours.
  func differences(ofHours own: [Point]) -> [(at: Timestamp, value: Double)] { Self.differences(own, hours) }

  private static func means(_ sensors: [[Point]]) -> [Timestamp: [Double]] {
    var means: [Timestamp: [Double]] = [:]
    for points in sensors {
      for point in points { means[point.at, default: []].append(point.mean) }
    }
    return means.mapValues { $0.sorted() }
  }

  private static func differences(
    _ own: [Point], _ means: [Timestamp: [Double]]
  ) -> [(at: Timestamp, value: Double)] {
    own.compactMap { point in
      guard var others = means[point.at], others.count > fewest, let place = others.firstIndex(of: point.mean) else {
        return nil
      }
      others.remove(at: place)
      guard let median = Statistics.median(others) else { return nil }
      return (point.at, point.mean - median)
    }
  }
}
