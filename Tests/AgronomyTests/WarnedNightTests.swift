import Testing
import Values

@testable import Agronomy

@Suite("A night with a frost warning")
struct WarnedNightTests {
  private static let chatham = GardenClock(zone: "Pacific/Chatham", offsetSeconds: 45_900)

  @Test(
    "ends at eight by the sun, on a day of the garden's time zone or, without one, of the sun",
    arguments: [
      ("2026-11-29T18:00:00Z", 0, GardenClock.utc, "2026-11-30T08:00:00.000Z", "2026-11-30"),
      ("2026-11-30T05:30:00Z", 0, .utc, "2026-11-30T08:00:00.000Z", "2026-11-30"),
      // Sydney and Los Angeles in the evening.
      ("2026-11-29T10:00:00Z", 150, .utc, "2026-11-29T22:00:00.000Z", "2026-11-30"),
      ("2026-11-30T04:00:00Z", -120, .utc, "2026-11-30T16:00:00.000Z", "2026-11-30"),
      // The Chatham Islands lie east of the 180° meridian and have the date of the west.
      ("2026-07-01T07:15:00Z", -176.5, chatham, "2026-07-01T19:46:00.000Z", "2026-07-02"),
    ])
  func night(time: String, longitude: Double, clock: GardenClock, end: String, day: String) throws {
    let night = WarnedNight(at: try #require(Timestamp(time)), longitude: longitude, clock: clock)
    #expect(night.end.description == end)
    #expect(night.day == day)
  }
}
