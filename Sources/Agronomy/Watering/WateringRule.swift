import JSON
import Values

/// Watering: how wet the soil is, how fast it dries, and when it will be dry.
///
/// Each probe is judged by itself and by its own ground. Its level is the median of its newest points, so that one
/// wrong value moves nothing: of those of a few hours, and of none from before it was watered or of what is not soil
/// (see `SoilContact`). Its slope is that of the time since it was last watered: a rise would hide how fast the soil
/// dries.
package enum WateringRule {
  /// What is looked at, in hours before now.
  package static let windowHours: Int64 = 72
  /// For how many days it has to be known what was said.
  package static let memoryDays = 30.0
  /// Probes without a value of that many hours say nothing about now.
  package static let maximumAgeHours = 24.0
  /// How much wetter than dry soil must have become to be dry anew, in percent of volume: noise is less.
  static let hysteresis = 2.0
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
  package struct Probe {
    /// What it has measured of soil.
    let series: SensorSeries
    /// How it fell since then, when it was perhaps pulled out.
    let fall: SoilContact.Fall?
    let limits: MoistureLimits
    let level: Double
    /// When the first of the points was measured that the level is made of.
    let levelSince: Timestamp
    /// Whether only the newest point has risen: a second one has yet to confirm it.
    let hasJustRisen: Bool
    /// The change in points an hour since the last watering; nil when it cannot be told yet.
    let slopePerHour: Double?
    /// The hours after its newest value at which it will be dry; nil when it is, or when it will not be soon.
    let hoursUntilDry: Double?
    /// Since when it is dry, or too wet; from the first point that was looked at when it was so before.
    package let drySince: Timestamp?
    let wetSince: Timestamp?

    package var isDry: Bool { drySince != nil }
    var isWet: Bool { wetSince != nil && !hasJustRisen }
    var dryAt: Timestamp? { hoursUntilDry.map { series.newest.at.advanced(byHours: $0) } }
  }

  /// Nil when no probe has measured soil moisture lately.
  package static func finding(_ observations: Observations) -> Finding? {
    let probes = probes(observations)
    guard !probes.isEmpty else { return nil }
    let (severity, title, named) = verdict(probes)
    let names = named.map(\.series.deviceName)
    let text = (named.isEmpty ? probes : named).prefix(Finding.maximumNames)
      .map { sentence($0, observations.clock(of: $0.series.device)) }.joined(separator: " ")
    return Finding(
      severity, named.isEmpty ? title : "\(title): \(Finding.list(names))", text,
      devicesLeftOut: observations.devicesLeftOut
    ) { json in
      json.member("horizonHours", horizonHours)
      json.key("probes")
      json.array { json in for probe in probes { json.object { write(probe, &$0) } } }
    }
  }

  /// The probes that have measured lately, in the order of their names.
  private static func probes(_ observations: Observations) -> [Probe] {
    observations.of(.soilMoisture)
      .filter { $0.newest.at.hours(until: observations.now) <= maximumAgeHours }
      .map { probe($0, observations.limits[$0.device] ?? MoistureLimits(.assumed)) }
      .sorted { ($0.series.deviceName, $0.series.device) < ($1.series.deviceName, $1.series.device) }
  }

  private static func verdict(_ probes: [Probe]) -> (Severity, title: String, named: [Probe]) {
    let dry = probes.filter(\.isDry)
    if !dry.isEmpty { return (.warning, "Water now", dry) }
    let inSoil = probes.filter { $0.fall == nil }
    let drying = inSoil.filter { $0.hoursUntilDry != nil }
    if !drying.isEmpty { return (.notice, "Water soon", drying) }
    let out = probes.filter { $0.fall != nil }
    if !out.isEmpty { return (.notice, "Perhaps not in the soil", out) }
    let wet = inSoil.filter(\.isWet)
    return wet.isEmpty ? (.info, "No watering needed", []) : (.notice, "Too wet", wet)
  }

  /// Whether a finding is to be told without being asked for: a probe is dry that no warning has called dry since it
  /// was wet.
  package static func isNews(_ finding: Finding, _ observations: Observations) -> Bool {
    guard finding.severity == .warning else { return false }
    let called = calledDry(observations.said.filter { $0.isTold && $0.severity == .warning })
    return probes(observations).contains { probe in
      // What the newest point alone says its next reading may unsay.
      guard let since = probe.drySince, since < probe.series.newest.at else { return false }
      guard let last = called["\(probe.series.device)"] else { return true }
      return isAnew(probe, since: since, after: last, now: observations.now)
    }
  }

  /// When a probe was called dry, and below which share of water.
  private typealias CalledDry = (at: Timestamp, dryBelow: Double)

  /// The last time for each device, by its id.
  private static func calledDry(_ warnings: [Said]) -> [String: CalledDry] {
    var called: [String: CalledDry] = [:]
    for warning in warnings.sorted(by: { $0.at < $1.at }) {
      for probe in warning.evidence["probes"] where probe.text("drySince") != nil {
        guard let device = probe.text("deviceId"), let dryBelow = probe.number("dryBelow") else { continue }
        called[device] = (warning.at, dryBelow)
      }
    }
    return called
  }

  /// Whether a probe that is dry since then was wet after it had been called dry, for more than one point: by the limit
  /// of then or of now.
  private static func isAnew(_ probe: Probe, since: Timestamp, after called: CalledDry, now: Timestamp) -> Bool {
    let points = probe.series.points
    let first = points[0].at
    if called.at < first {
      // It was not dry when the look began, or nobody knows what it was for a day before its first point.
      let known = max(called.at, now.advanced(byHours: -Double(windowHours)))
      if since > first || known.hours(until: first) > maximumAgeHours { return true }
    }
    let wet = min(called.dryBelow, probe.limits.dryBelow) + hysteresis
    return points.indices.contains { index in
      guard points[index].at > called.at else { return false }
      let (level, _, hasJustRisen) = level(points[...index])
      return level > wet && !hasJustRisen
    }
  }

  /// What a probe says of its series.
  package static func probe(_ series: SensorSeries, _ limits: MoistureLimits) -> Probe {
    let contact = SoilContact(series, dryBelow: limits.dryBelow)
    let points = contact.series.points
    let (level, current, hasJustRisen) = level(points[...])
    let slope = slope(points)
    var hours: Double?
    if let slope, slope <= -slowestSlope, level > limits.dryBelow {
      let forecast = (level - limits.dryBelow) / -slope
      if forecast <= horizonHours { hours = forecast }
    }
    let dry = since(points) { $0 <= limits.dryBelow ? true : $0 > limits.dryBelow + hysteresis ? false : nil }
    let wet = since(points) { $0 >= limits.wetAbove ? true : $0 < limits.wetAbove - hysteresis ? false : nil }
    return Probe(
      series: contact.series, fall: contact.fall.flatMap { $0.isSudden ? $0 : nil }, limits: limits, level: level,
      levelSince: current.first!.at, hasJustRisen: hasJustRisen,
      slopePerHour: slope, hoursUntilDry: dry == nil ? hours : nil, drySince: dry, wetSince: wet)
  }

  /// Since when a condition holds of the levels as they were seen at each point; nil of a level keeps what was.
  private static func since(_ points: [Point], _ condition: (Double) -> Bool?) -> Timestamp? {
    var since: Timestamp?
    for end in 1...points.count {
      guard let holds = condition(level(points[..<end]).level) else { continue }
      since = holds ? since ?? points[end - 1].at : nil
    }
    return since
  }

  private static func level(
    _ points: ArraySlice<Point>
  ) -> (level: Double, current: ArraySlice<Point>, hasJustRisen: Bool) {
    let (current, isRise) = current(points)
    let hasJustRisen = isRise && current.count == 1
    // A point in which water came is a mean of before and after.
    let level = hasJustRisen ? points.last!.max : Statistics.median(current.map(\.mean))!
    return (level, current, hasJustRisen)
  }

  private static func slope(_ points: [Point]) -> Double? {
    var start = points.count - 1
    while start > 0, points[start].mean - points[start - 1].mean < wateringRise { start -= 1 }
    let drying = points[start...]
    guard drying.count >= fewestSlopePoints,
      drying.first!.at.hours(until: points[points.count - 1].at) >= shortestSlopeHours
    else { return nil }
    return Statistics.slopePerHour(drying)
  }

  /// The points that say how wet the soil is now, at least one, and whether the first of them is where water came.
  private static func current(_ points: ArraySlice<Point>) -> (points: ArraySlice<Point>, isRise: Bool) {
    let newest = points[points.endIndex - 1]
    var start = max(0, points.endIndex - levelPoints)
    while points[start].at.hours(until: newest.at) > levelHours { start += 1 }
    // A rise that is gone by now was one wrong value.
    let rise = (max(start, 1)..<points.endIndex).last { index in
      let before = points[index - 1].mean
      return min(points[index].mean, newest.mean) - before >= wateringRise
    }
    return (points[(rise ?? start)...], rise != nil)
  }

  private static func sentence(_ probe: Probe, _ clock: GardenClock) -> String {
    if let fall = probe.fall, !probe.isDry {
      return "\(probe.series.deviceName) fell from \(fall.before.sentenceText()) to "
        + "\(fall.point.mean.sentenceText()) % at \(clock.text(fall.point.at)), faster than any soil dries."
    }
    var text = "\(probe.series.deviceName) is at \(probe.level.sentenceText()) %"
    if let slope = probe.slopePerHour, slope <= -slowestSlope {
      text += " and loses \((-slope).sentenceText(places: 2)) points an hour"
    }
    let dry = probe.limits.dryBelow.sentenceText()
    if let since = probe.drySince {
      guard probe.level > probe.limits.dryBelow else { return text + "; \(dry) % and less is dry." }
      let wet = (probe.limits.dryBelow + hysteresis).sentenceText()
      return text + "; it has been dry since \(clock.text(since)), and is until it has more than \(wet) %."
    }
    if probe.isWet { return text + "; from \(probe.limits.wetAbove.sentenceText()) % on, roots lack air." }
    if let hours = probe.hoursUntilDry, let dryAt = probe.dryAt {
      return text + "; it will be at \(dry) % in \(hours.sentenceText()) hours, at \(clock.text(dryAt))."
    }
    return text + "."
  }

  private static func write(_ probe: Probe, _ json: inout JSONWriter) {
    json.member("deviceId", probe.series.device)
    json.member("deviceName", probe.series.deviceName)
    json.member("dryBelow", probe.limits.dryBelow.rounded(places: 2))
    json.member("wetAbove", probe.limits.wetAbove.rounded(places: 2))
    json.member("level", probe.level.rounded(places: 2))
    json.member("levelSince", probe.levelSince)
    json.member("measuredAt", probe.series.newest.at)
    json.member("fellAt", probe.fall?.point.at)
    json.member("drySince", probe.drySince)
    json.member("slopePerHour", probe.slopePerHour?.rounded(places: 4))
    json.member("hoursUntilDry", probe.hoursUntilDry?.rounded(places: 2))
    json.member("dryAt", probe.dryAt)
    json.member("points", probe.series.points.count)
  }
}
