import Agronomy
import Gardens
import JSON
import Values

/// Watering: how wet the soil is, how fast it dries, and when it will be dry.
///
/// Each probe is judged by itself. Its level is the median of its newest points, so that one wrong value moves nothing:
/// of those of a few hours, and of none from before it was watered.
/// Its slope is that of the time since it was last watered: a rise would hide how fast the soil dries.
enum WateringRule {
  /// What is looked at, in hours before now.
  static let windowHours: Int64 = 72
  /// Probes without a value of that many hours say nothing about now.
  static let maximumAgeHours = 24.0
  /// Where most vegetables begin to suffer, in percent of volume.
  static let dryPercent = 30.0
  /// Where roots lack air.
  static let wetPercent = 85.0
  /// A rise from one point to the next by that much is water that came.
  static let wateringRise = 3.0
  /// How far ahead a forecast is worth making.
  static let horizonHours = 48.0
  /// The shortest time that a slope is taken from, and the fewest points.
  static let shortestSlopeHours = 3.0
  static let fewestSlopePoints = 4
  /// A slower loss than this, in points an hour, is noise.
  static let slowestSlope = 0.01
  /// How many points the level is the median of, and the hours that may lie between them.
  static let levelPoints = 3
  static let levelHours = 3.0

  /// What one probe says.
  struct Probe {
    let series: SensorSeries
    let level: Double
    /// When the first of the points was measured that the level is made of.
    let levelSince: Timestamp
    /// Whether only the newest point has risen: a second one has yet to confirm it.
    let hasJustRisen: Bool
    /// The change in points an hour since the last watering; nil when it cannot be told yet.
    let slopePerHour: Double?
    /// The hours after its newest value at which it will be dry; nil when it is, or when it will not be soon.
    let hoursUntilDry: Double?

    var isDry: Bool { level <= WateringRule.dryPercent }
    var isWet: Bool { level >= WateringRule.wetPercent && !hasJustRisen }
    var dryAt: Timestamp? { hoursUntilDry.map { series.newest.at.advanced(byHours: $0) } }
  }

  /// Nil when no probe has measured soil moisture lately.
  static func finding(_ observations: Observations) -> Finding? {
    let probes = observations.of(.soilMoisture)
      .filter { $0.newest.at.hours(until: observations.now) <= maximumAgeHours }
      .map(probe)
    guard !probes.isEmpty else { return nil }
    let dry = probes.filter(\.isDry).sorted { $0.level < $1.level }
    let drying = probes.filter { $0.hoursUntilDry != nil }.sorted { $0.hoursUntilDry! < $1.hoursUntilDry! }
    let wet = probes.filter(\.isWet)
    let (severity, title, named): (Severity, String, [Probe]) =
      if !dry.isEmpty {
        (.warning, "Water now", dry)
      } else if !drying.isEmpty {
        (.notice, "Water soon", drying)
      } else if !wet.isEmpty {
        (.notice, "Too wet", wet)
      } else {
        (.info, "No watering needed", [])
      }
    let names = named.map(\.series.deviceName)
    let text = (named.isEmpty ? probes : named).prefix(Finding.maximumNames).map(sentence).joined(separator: " ")
    return Finding(severity, named.isEmpty ? title : "\(title): \(Finding.list(names))", text) { json in
      json.member("dryPercent", dryPercent)
      json.member("wetPercent", wetPercent)
      json.member("horizonHours", horizonHours)
      json.key("probes")
      json.array { json in for probe in probes { json.object { write(probe, &$0) } } }
    }
  }

  static func probe(_ series: SensorSeries) -> Probe {
    let points = series.points
    let (current, isRise) = current(points)
    let hasJustRisen = isRise && current.count == 1
    // A point in which water came is a mean of before and after.
    let level = hasJustRisen ? series.newest.max : Statistics.median(current.map(\.mean))!
    var start = points.count - 1
    while start > 0, points[start].mean - points[start - 1].mean < wateringRise { start -= 1 }
    let drying = points[start...]
    var slope: Double?
    if drying.count >= fewestSlopePoints, drying.first!.at.hours(until: series.newest.at) >= shortestSlopeHours {
      slope = Statistics.slopePerHour(drying)
    }
    var hours: Double?
    if let slope, slope <= -slowestSlope, level > dryPercent {
      let forecast = (level - dryPercent) / -slope
      if forecast <= horizonHours { hours = forecast }
    }
    return Probe(
      series: series, level: level, levelSince: current.first!.at, hasJustRisen: hasJustRisen, slopePerHour: slope,
      hoursUntilDry: hours)
  }

  /// The points that say how wet the soil is now, at least one, and whether the first of them is where water came.
  private static func current(_ points: [Point]) -> (points: ArraySlice<Point>, isRise: Bool) {
    let newest = points[points.count - 1]
    var start = max(0, points.count - levelPoints)
    while points[start].at.hours(until: newest.at) > levelHours { start += 1 }
    // A rise that is gone by now was one wrong value.
    let rise = (max(start, 1)..<points.count).last { index in
      let before = points[index - 1].mean
      return min(points[index].mean, newest.mean) - before >= wateringRise
    }
    return (points[(rise ?? start)...], rise != nil)
  }

  private static func sentence(_ probe: Probe) -> String {
    var text = "\(probe.series.deviceName) is at \(probe.level.sentenceText()) %"
    if let slope = probe.slopePerHour, slope <= -slowestSlope {
      text += " and loses \((-slope).sentenceText(places: 2)) points an hour"
    }
    if probe.isDry { return text + "; \(dryPercent.sentenceText()) % and less is dry." }
    if probe.isWet { return text + "; from \(wetPercent.sentenceText()) % on, roots lack air." }
    if let hours = probe.hoursUntilDry, let dryAt = probe.dryAt {
      return text
        + "; it will be at \(dryPercent.sentenceText()) % in \(hours.sentenceText()) hours, at \(dryAt.sentenceText)."
    }
    return text + "."
  }

  private static func write(_ probe: Probe, _ json: inout JSONWriter) {
    json.member("deviceId", probe.series.device)
    json.member("deviceName", probe.series.deviceName)
    json.member("level", probe.level.rounded(places: 2))
    json.member("levelSince", probe.levelSince)
    json.member("measuredAt", probe.series.newest.at)
    json.member("slopePerHour", probe.slopePerHour?.rounded(places: 4))
    json.member("hoursUntilDry", probe.hoursUntilDry?.rounded(places: 2))
    json.member("dryAt", probe.dryAt)
    json.member("points", probe.series.points.count)
  }
}
