import Values

/// How the owner of a garden or a device reads its times.
package struct GardenClock {
  package static let utc = GardenClock(zone: "UTC", offsetSeconds: 0)
  /// Of which times it tells, in days from the moment for which it was read: a device is spoken of for a fortnight, and
  /// soil that will be dry two days before. No zone changes its clocks twice in that time.
  package static let pastDays = 14
  package static let futureDays = 2

  package let zone: String
  /// What the zone is ahead of UTC, until its clocks change.
  let offsetSeconds: Int
  /// When they do, and what it is ahead of UTC from then on; nil when they do not in that time.
  let change: (at: Timestamp, offsetSeconds: Int)?
  /// What it is ahead of UTC while it has no summer time.
  let standardOffsetSeconds: Int

  package init(
    zone: String, offsetSeconds: Int, change: (at: Timestamp, offsetSeconds: Int)? = nil,
    standardOffsetSeconds: Int? = nil
  ) {
    self.zone = zone
    self.offsetSeconds = offsetSeconds
    self.change = change
    self.standardOffsetSeconds = standardOffsetSeconds ?? offsetSeconds
  }

  /// By which degrees east the zone's standard time goes.
  package var meridian: Double { Double(standardOffsetSeconds) * 15 / 3_600 }

  /// As a sentence has it: `2026-11-21 20:00 (Europe/Paris)`.
  package func text(_ moment: Timestamp) -> String {
    let text = local(moment).prefix(16).replacing("T", with: " ")
    return isUTC ? text + " UTC" : "\(text) (\(zone))"
  }

  /// The day that it is then: `2026-11-21`.
  func day(_ moment: Timestamp) -> String { String(local(moment).prefix(10)) }

  /// Whether it is that of who names no zone.
  var isUTC: Bool { zone == Self.utc.zone }

  private func local(_ moment: Timestamp) -> String {
    let offset = change.flatMap { moment < $0.at ? nil : $0.offsetSeconds } ?? offsetSeconds
    return moment.advanced(byMilliseconds: Int64(offset) * 1_000).description
  }
}
