import Values

/// Tells which values of a moisture probe are of soil.
///
/// No soil dries at once: a probe that falls to dryness faster was pulled out. Where values come seldom, the next one
/// has to confirm a fall.
struct SoilContact {
  /// How many hours a probe that fell counts as pulled out; what is still dry then is dry soil.
  static let longestHours = 24.0

  /// A fall that is not believed.
  struct Fall {
    let point: Point
    let before: Double
    /// Whether there were values right before it; otherwise its speed is not known.
    let isSudden: Bool

    fileprivate func isOver(at moment: Timestamp) -> Bool {
      !isSudden || point.at.hours(until: moment) > SoilContact.longestHours
    }
  }

  /// The probe's series with the values of soil alone.
  let series: SensorSeries
  /// Nil when its newest value is of soil.
  let fall: Fall?

  init(_ series: SensorSeries, dryBelow: Double) {
    var (soil, fall): ([Point], Fall?) = ([], nil)
    for point in series.points {
      if let last = fall {
        guard point.mean > dryBelow || last.isOver(at: point.at) else { continue }
        if point.mean <= dryBelow, !last.isSudden { soil.append(last.point) }
        fall = nil
      } else {
        fall = Self.fall(to: point, after: soil, series.sensorType, dryBelow: dryBelow)
      }
      if fall == nil { soil.append(point) }
    }
    self.fall = fall
    self.series = SensorSeries(
      device: series.device, deviceName: series.deviceName, sensorType: series.sensorType, points: soil,
      hours: series.hours)
  }

  private static func fall(to point: Point, after soil: [Point], _ sensorType: String, dryBelow: Double) -> Fall? {
    guard point.mean <= dryBelow, let last = soil.last, let limit = SensorCharacter(sensorType).fall else { return nil }
    let isSudden = last.at.hours(until: point.at) <= FaultFinder.longestStepHours
    let beside = soil.suffix(SensorSeries.pointsBeside)
      .suffix { $0.at.hours(until: point.at) <= SensorSeries.hoursBeside }
    let before = isSudden ? Statistics.median(beside.map(\.mean))! : last.mean
    return before - point.mean > limit ? Fall(point: point, before: before, isSudden: isSudden) : nil
  }
}
