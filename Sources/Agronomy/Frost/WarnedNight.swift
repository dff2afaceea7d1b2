import Values

/// The night that a word of frost is about, for who reads it later.
package struct WarnedNight {
  /// When its morning is over, and with it all use of the word.
  package let end: Timestamp
  /// The day of its morning: `2026-11-30`.
  package let day: String

  package init(at moment: Timestamp, longitude: Double, clock: GardenClock) {
    let hour = SolarNight(at: moment, longitude: longitude).hour
    end = moment.advanced(byHours: SolarNight.coldHours.upperBound - hour)
    // Who names no zone has the day that the sun says: far from Greenwich that of UTC is another one.
    let clock = clock.isUTC ? GardenClock(zone: "sun", offsetSeconds: Int(longitude * 240)) : clock
    day = clock.day(end)
  }
}
