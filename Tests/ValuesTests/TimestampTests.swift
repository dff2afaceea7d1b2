import Testing

@testable import Values

@Suite("A timestamp")
struct TimestampTests {
  @Test(
    "reads RFC 3339 with any offset, and truncates to the millisecond",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2026-11-21T09:30:00.000Z", 1_795_253_400_000),
      ("2026-11-21t09:30:00.1z", 1_795_253_400_100), ("2026-11-21T09:30:00.123999999Z", 1_795_253_400_123),
      ("2026-11-21T11:30:00+02:00", 1_795_253_400_000), ("2026-11-20T23:45:00-09:45", 1_795_253_400_000),
      ("1969-12-31T23:59:59.999Z", -1), ("2024-02-29T00:00:00Z", 1_709_164_800_000),
      ("2000-02-29T12:00:00-00:00", 951_825_600_000),
    ] as [(String, Int64)])
  func reads(text: String, milliseconds: Int64) {
    #expect(Timestamp(text)?.unixMilliseconds == milliseconds)
  }

  @Test(
    "is written as in HTTP and mail, except for the zone",
    arguments: [
      ("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37"), ("2026-11-21T09:30:00.999Z", "Sat, 21 Nov 2026 09:30:00"),
      ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00"), ("1969-12-31T23:59:59.001Z", "Wed, 31 Dec 1969 23:59:59"),
      ("2000-02-29T12:05:09Z", "Tue, 29 Feb 2000 12:05:09"),
    ])
  func internetMessage(text: String, expected: String) throws {
    #expect(try #require(Timestamp(text)).internetMessageText == expected)
  }

  @Test(
    "refuses dates and times that do not exist, and every other form",
    arguments: [
      "", "2026-11-21", "2026-11-21T09:30:00", "2026-11-21 09:30:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
      "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-21T24:00:00Z",
      "2026-11-21T23:60:00Z", "2026-12-31T23:59:60Z", "2026-11-21T09:30:00.Z", "2026-11-21T09:30:00+2:00",
      "2026-11-21T09:30:00+24:00", "2026-11-21T09:30:00+02:60", "2026-11-21T09:30:00Zx", "+026-11-21T09:30:00Z",
      "2026-11-21T09:30:0\u{0660}Z", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59-23:59",
      "0000-01-01T00:00:00+00:01", "0000-01-01T00:00:00+23:59",
    ])
  func refuses(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test("writes what it reads, from the beginning of the year 0000 to the end of 9999")
  func roundTrip() {
    for end in ["0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"] { #expect(Timestamp(end)?.description == end) }
    for day in stride(from: -719_528 as Int64, through: 2_932_896, by: 97) {
      let timestamp = Timestamp(unixMilliseconds: day * 86_400_000 + day.magnitude.signed % 86_400_000)
      #expect(Timestamp(timestamp.description) == timestamp)
    }
  }

  @Test("knows the day on which it falls, before 1970 too")
  func days() {
    #expect(CivilDate(Timestamp(unixMilliseconds: -1)).description == "1969-12-31")
    #expect(CivilDate(Timestamp("2026-11-21T23:59:59.999Z")!).description == "2026-11-21")
    #expect(CivilDate(year: 2026, month: 11, day: 21)?.start == Timestamp("2026-11-21T00:00:00Z"))
  }

  @Test("is rounded down to a whole step, before 1970 too")
  func rounding() {
    let times: [Int64: Int64] = [-300_001: -600_000, -300_000: -300_000, -1: -300_000, 0: 0, 299_999: 0]
    for (time, step) in times {
      let rounded = Timestamp(unixMilliseconds: time).roundedDown(to: 300_000)
      #expect(rounded.unixMilliseconds == step)
    }
  }
}

extension UInt64 {
  fileprivate var signed: Int64 { Int64(self) }
}
