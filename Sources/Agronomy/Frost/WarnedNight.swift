import Values

/// The night that a frost warning is about, for users who read it later.
package struct WarnedNight {
  /// When its morning is over, and the warning of no more use.
  package let end: Timestamp
  /// The day of its morning: `2026-11-30`.
  package let day: String

  package init(at moment: Timestamp, longitude: Double, clock: GardenClock) {
    let hour = SolarNight(at: moment, longitude: longitude).hour
    end = moment.advanced(byHours: SolarNight.coldHours.upperBound - hour)
    // Without a time zone the day is the sun's: far from Greenwich UTC has another one.
    let clock = clock.isUTC ? GardenClock(zone: "sun", offsetSeconds: Int(longitude * 240)) : clock
    day = clock.day(end)
  }
}
