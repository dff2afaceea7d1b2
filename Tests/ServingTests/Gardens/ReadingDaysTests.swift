import Reactor
import Testing
import Values

@testable import Gardens

@Suite("Reading days", .blocking)
struct ReadingDaysTests {
  private func device() throws -> TestDevice { try TestDevice(LiveServer.shared.get()) }

  /// The days that a query of a device's readings finds, over all pages.
  private static func days(of device: TestDevice, _ query: String) throws -> [String] {
    try device.owner.pages(from: "\(device.path)?\(query)").flatMap { try $0.items }.map {
      "\($0["start"]?.text ?? "") \($0["sensorType"]?.text ?? "") \($0["count"]?.integer ?? 0)"
    }
  }

  @Test("returns each day once, however small the pages are", arguments: [1, 2, 3])
  func days(limit: Int) throws {
    let device = try device()
    let (id, day) = (device.id, Int64(86_400_000))
    let end = Clock.unixMilliseconds().floorDivided(by: day) * day
    let start = Timestamp(unixMilliseconds: end - 5 * day)
    try device.server.withDatabase { database in
      // No hours right after midnight, so that a day's first hour is not its start.
      try await database.execute(
        """
        INSERT INTO readings_1h SELECT \(id), type, \(start) + hour * interval '1 hour', 1, 3, 4, 2
        FROM generate_series(0, 119) hour, unnest('{ph,rain}'::text[]) type WHERE hour % 24 > 5
        """)
    }
    let seen = try Self.days(of: device, "resolution=1d&limit=\(limit)&from=\(start)")
    let days = (0..<5).map { start.advanced(byMilliseconds: $0 * day) }
    #expect(seen == days.flatMap { ["\($0) ph 36", "\($0) rain 36"] })
  }

  @Test("returns numbers for buckets whose sums overflow a double")
  func hugeSums() throws {
    let device = try device()
    let id = device.id
    let start = Timestamp(unixMilliseconds: (Clock.unixMilliseconds() / 86_400_000 - 1) * 86_400_000)
    try device.server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO readings_1h SELECT \(id), 'custom', \(start) + hour * interval '1 hour', 1, 1.7e308, sum, 2
        FROM unnest('{0,1,2}'::int[], '{1.7e308,1.7e308,Infinity}'::float8[]) AS b (hour, sum)
        """)
    }
    for (resolution, means) in [("1h", [8.5e307, 8.5e307, 1.7e308]), ("1d", [1.7e308])] {
      let target = "\(device.path)?resolution=\(resolution)&from=\(start)"
      #expect(try device.client.get(target).items.map { $0["mean"]?.number } == means)
    }
  }

  @Test("returns the days of a time zone, also one of 23 hours, page by page")
  func zonedDays() throws {
    let device = try device()
    let id = device.id
    try device.server.withDatabase { database in
      _ = try await database.execute(
        """
        INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
        SELECT \(id), type, start, 1, 1, 1, 1
        FROM generate_series(timestamptz '2026-03-27 23:00Z', '2026-03-30 21:00Z', '1 hour') start,
          unnest(ARRAY['ec', 'ph']) type
        """)
      _ = try await database.execute("UPDATE devices SET measured_types = '{ec,ph}' WHERE id = \(id)")
    }
    // The second also has summer time, unlike the abbreviation of that name that Postgres knows.
    for zone in ["Europe/Paris", "CET"] {
      let days = try Self.days(
        of: device, "resolution=1d&timeZone=\(zone)&from=2026-03-27T23:00:00Z&to=2026-03-30T22:00:00Z&limit=1")
      #expect(
        days == [
          "2026-03-27T23:00:00.000Z ec 24", "2026-03-27T23:00:00.000Z ph 24", "2026-03-28T23:00:00.000Z ec 23",
          "2026-03-28T23:00:00.000Z ph 23", "2026-03-29T22:00:00.000Z ec 24", "2026-03-29T22:00:00.000Z ph 24",
        ], "\(zone)")
    }
    for zone in [
      "Z", "IST", "CEST", "PST", "localtime", "posixrules", "Mars/Olympus", "a;b", "GMT%2B3", "UTC%2B3", "X5", "A%2B5",
      "Etc/UTC%2B3", "posix/Europe/Paris",
    ] {
      #expect(try device.owner.get("\(device.path)?resolution=1d&timeZone=\(zone)").status == 400, "\(zone)")
    }
    for zone in ["Etc/GMT-3", "cet", "EST5EDT", "NZ-CHAT", "GMT0", "GMT%2B0", "UTC"] {
      #expect(try device.owner.get("\(device.path)?resolution=1d&timeZone=\(zone)").status == 200, "\(zone)")
    }
    #expect(try device.owner.get("\(device.path)?timeZone=Europe/Paris").status == 400)
  }

  @Test("counts an hour in the day in which it begins, even if midnight falls within it, as documented")
  func cutHours() throws {
    let device = try device()
    let id = device.id
    try device.server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
        SELECT \(id), 'rain', start, 1, 1, 1, 1
        FROM generate_series(timestamptz '2026-11-27 19:00Z', '2026-11-28 18:00Z', '1 hour') start
        """)
    }
    // Midnight there is at 18:15 UTC.
    let span = "from=2026-11-27T00:00:00%2B05:45&to=2026-11-30T00:00:00%2B05:45"
    let days = try Self.days(of: device, "resolution=1d&timeZone=Asia/Kathmandu&\(span)")
    #expect(days == ["2026-11-27T18:15:00.000Z rain 24"])
    let zone = ReadingsQuery.parameters.first { $0.name == "timeZone" }
    #expect(zone?.description.contains("An hour of UTC belongs to the day in which it begins") == true)
  }

  @Test(
    "begins a day at the first of two midnights, and one without a midnight at its first hour",
    arguments: [
      (
        "Atlantic/Azores",
        [
          "2025-10-25T00:00:00.000Z", "2025-10-26T00:00:00.000Z", "2025-10-27T01:00:00.000Z",
          "2025-10-28T01:00:00.000Z",
        ]
      ),
      (
        "America/Havana",
        [
          "2025-11-01T04:00:00.000Z", "2025-11-02T04:00:00.000Z", "2025-11-03T05:00:00.000Z",
          "2025-11-04T05:00:00.000Z",
        ]
      ),
      (
        "America/Havana",
        [
          "2026-03-07T05:00:00.000Z", "2026-03-08T05:00:00.000Z", "2026-03-09T04:00:00.000Z",
          "2026-03-10T04:00:00.000Z",
        ]
      ),
      (
        "America/Santiago",
        [
          "2026-04-03T03:00:00.000Z", "2026-04-04T03:00:00.000Z", "2026-04-05T04:00:00.000Z",
          "2026-04-06T04:00:00.000Z",
        ]
      ),
    ])
  func midnights(zone: String, starts: [String]) throws {
    let device = try device()
    let (id, times) = (device.id, try starts.map { try #require(Timestamp($0)) })
    let (first, last) = (times[0], times[3])
    try device.server.withDatabase { database in
      _ = try await database.execute(
        """
        INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
        SELECT \(id), type, start, 1, 1, 1, 1
        FROM generate_series(\(first)::timestamptz, \(last)::timestamptz - interval '1 hour', '1 hour') start,
          unnest(ARRAY['ec', 'ph']) type
        """)
      _ = try await database.execute("UPDATE devices SET measured_types = '{ec,ph}' WHERE id = \(id)")
    }
    let days = (0..<3).map { day in
      ["ec", "ph"].map { "\(starts[day]) \($0) \(Int(times[day].hours(until: times[day + 1])))" }
    }
    func rows(_ from: Int, _ to: Int, _ more: String = "") throws -> [String] {
      try Self.days(
        of: device, "resolution=1d&timeZone=\(zone)&from=\(starts[from])&to=\(starts[to])\(more)")
    }
    #expect(try rows(0, 3) == days.flatMap { $0 })
    #expect(try rows(0, 3, "&limit=1") == days.flatMap { $0 })
    for day in 0..<3 { #expect(try rows(day, day + 1) == days[day]) }
    #expect(try rows(1, 3) == days[1...].flatMap { $0 })
  }
}
