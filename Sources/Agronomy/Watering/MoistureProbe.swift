import JSON
import Values

/// What one probe says of its own ground: how wet it is, how fast it dries, and when it will be dry.
///
/// Values that are not of soil are left out (see `SoilContact`). The slope is that since the last watering: a rise
/// would hide how fast the soil dries.
struct MoistureProbe {
  /// How far above the limit soil has to become wet to be dry anew, in percent of volume: noise is less.
  static let hysteresis = 2.0
  /// How far ahead a forecast is worth making, in hours.
  static let horizonHours = 48.0
  /// The fewest hours and points that a slope is taken from.
  static let shortestSlopeHours = 3.0
  static let fewestSlopePoints = 4
  /// A slower loss than this, in points an hour, is noise.
  static let slowestSlope = 0.01

  /// The part of its values that is of soil.
  let series: SensorSeries
  /// The sudden fall after these, where it was perhaps pulled out.
  let fall: SoilContact.Fall?
  let limits: MoistureLimits
  let level: SoilLevel
  /// The change in points an hour since the last watering; nil when it cannot be told yet.
  let slopePerHour: Double?
  /// Since when it is dry, or too wet; the time of the first point where it was so before.
  let drySince: Timestamp?
  let wetSince: Timestamp?

  var isDry: Bool { drySince != nil }
  var isWet: Bool { wetSince != nil && !level.hasJustRisen }
  var dryAt: Timestamp? { hoursUntilDry.map { series.newest.at.advanced(byHours: $0) } }

  init(_ series: SensorSeries, _ limits: MoistureLimits) {
    let contact = SoilContact(series, dryBelow: limits.dryBelow)
    let points = contact.series.points
    self.series = contact.series
    self.limits = limits
    fall = contact.fall.flatMap { $0.isSudden ? $0 : nil }
    level = SoilLevel(points[...])
    slopePerHour = Self.slope(points)
    drySince = Self.since(points) {
      $0 <= limits.dryBelow ? true : $0 > limits.dryBelow + Self.hysteresis ? false : nil
    }
    wetSince = Self.since(points) {
      $0 >= limits.wetAbove ? true : $0 < limits.wetAbove - Self.hysteresis ? false : nil
    }
  }

  /// How many hours after its newest value it will be dry; nil when it is dry, or will not be soon.
  var hoursUntilDry: Double? {
    guard !isDry, level.percent > limits.dryBelow, let slope = slopePerHour, slope <= -Self.slowestSlope else {
      return nil
    }
    let hours = (level.percent - limits.dryBelow) / -slope
    return hours <= Self.horizonHours ? hours : nil
  }

  /// Since when a condition holds of the level, as it was seen at each point; where the condition is nil, what held
  /// before goes on.
  private static func since(_ points: [Point], _ condition: (Double) -> Bool?) -> Timestamp? {
    var since: Timestamp?
    for end in 1...points.count {
      guard let holds = condition(SoilLevel(points[..<end]).percent) else { continue }
      since = holds ? since ?? points[end - 1].at : nil
    }
    return since
  }

  private static func slope(_ points: [Point]) -> Double? {
    var start = points.count - 1
    while start > 0, points[start].mean - points[start - 1].mean < SoilLevel.wateringRise { start -= 1 }
    let drying = points[start...]
    guard drying.count >= fewestSlopePoints,
      drying.first!.at.hours(until: points[points.count - 1].at) >= shortestSlopeHours
    else { return nil }
    return Statistics.slopePerHour(drying)
  }

  // MARK: Telling

  func sentence(_ clock: GardenClock) -> String {
    if let fall, !isDry {
      return "\(series.deviceName) fell from \(fall.before.sentenceText()) to "
        + "\(fall.point.mean.sentenceText()) % at \(clock.text(fall.point.at)), faster than any soil dries."
    }
    var text = "\(series.deviceName) is at \(level.percent.sentenceText()) %"
    if let slopePerHour, slopePerHour <= -Self.slowestSlope {
      text += " and loses \((-slopePerHour).sentenceText(places: 2)) points an hour"
    }
    let dry = limits.dryBelow.sentenceText()
    if let drySince {
      guard level.percent > limits.dryBelow else { return text + "; \(dry) % and less is dry." }
      let wet = (limits.dryBelow + Self.hysteresis).sentenceText()
      return text + "; it has been dry since \(clock.text(drySince)), and is until it has more than \(wet) %."
    }
    if isWet { return text + "; from \(limits.wetAbove.sentenceText()) % on, roots lack air." }
    if let hoursUntilDry, let dryAt {
      return text + "; it will be at \(dry) % in \(hoursUntilDry.sentenceText()) hours, at \(clock.text(dryAt))."
    }
    return text + "."
  }

  func write(_ json: inout JSONWriter) {
    json.member("deviceId", series.device)
    json.member("deviceName", series.deviceName)
    json.member("dryBelow", limits.dryBelow.rounded(places: 2))
    json.member("wetAbove", limits.wetAbove.rounded(places: 2))
    json.member("level", level.percent.rounded(places: 2))
    json.member("levelSince", level.since)
    json.member("measuredAt", series.newest.at)
    json.member("fellAt", fall?.point.at)
    json.member("drySince", drySince)
    json.member("slopePerHour", slopePerHour?.rounded(places: 4))
    json.member("hoursUntilDry", hoursUntilDry?.rounded(places: 2))
    json.member("dryAt", dryAt)
    json.member("points", series.points.count)
  }
}
