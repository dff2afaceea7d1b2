import Values

/// How the owner of a garden or a device reads its times.
package struct GardenClock {
  package static let utc = GardenClock(zone: "UTC", offsetSeconds: 0)
  /// The span around the moment for which it was read, in days, in which it tells times right: silent devices are
  /// spoken of for a fortnight, and dry soil is forecast two days ahead. No zone changes its clocks twice in that span.
  package static let pastDays = 14
  package static let futureDays = 2

  package let zone: String
  /// How far the zone is ahead of UTC until its clocks change.
  let offsetSeconds: Int
  /// When its clocks change, and how far it is ahead of UTC from then on; nil when they do not in that span.
  let change: (at: Timestamp, offsetSeconds: Int)?
  /// How far it is ahead of UTC outside summer time.
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

  /// The meridian of the zone's standard time, in degrees east.
  package var meridian: Double { Double(standardOffsetSeconds) * 15 / 3_600 }

  /// A moment as a sentence has it: `2026-11-21 20:00 (Europe/Paris)`.
  package func text(_ moment: Timestamp) -> String {
    let text = local(moment).prefix(16).replacing("T", with: " ")
    return isUTC ? text + " UTC" : "\(text) (\(zone))"
  }

  /// The day of a moment: `2026-11-21`.
  func day(_ moment: Timestamp) -> String { String(local(moment).prefix(10)) }

  /// Whether the zone is UTC, which also stands for none.
  var isUTC: Bool { zone == Self.utc.zone }

  private func local(_ moment: Timestamp) -> String {
    let offset = change.flatMap { moment < $0.at ? nil : $0.offsetSeconds } ?? offsetSeconds
    return moment.advanced(byMilliseconds: Int64(offset) * 1_000).description
  }
}
