import Agronomy
import Glibc
import Postgres
import Reactor
import StationYears
import Testing
import Values

@testable import Insights

/// A healthy garden's year, hour by hour through the pass's own look and real stores: `make insights-replay` runs it.
@Suite("A healthy year", .blocking, .enabled(if: getenv("INSIGHTS_REPLAY") != nil))
struct InsightReplayTests {
  /// The most insights that a year may cause: frost warnings beyond the nights of frost, and all of anomalies.
  static let frostBeyondNights: Int64 = 40
  static let anomalies: Int64 = 12

  @Test("causes no more insights than promised")
  func year() throws {
    let path = try #require(getenv("INSIGHTS_REPLAY").map { String(cString: $0) })
    func number(_ name: String) -> Int? { getenv("INSIGHTS_REPLAY_\(name)").flatMap { Int(String(cString: $0)) } }
    let first = number("FROM") ?? 1
    let garden = YearGarden(try StationYear(file: path), seed: 2)
    let server = try LiveServer(["READINGS_RAW_DAYS": "400", "INSIGHTS_INTERVAL_SECONDS": "0"])
    defer { server.stop() }
    let (_, owner) = try server.signedIn()
    let replay = try Replay(server, garden, owner: owner)
    try replay.store()
    let days = try replay.look(
      first..<min(first + (number("DAYS") ?? 364), 365), minutes: number("MINUTES") ?? .max)
    let (counts, frostNights, dryings) = (try replay.counts(), replay.frostNights(days), replay.dryings(days))
    let share = Double(days.count) / 365
    print("Insights of days \(days): \(counts), frost nights: \(frostNights), times dry: \(dryings)")
    #expect(counts.frost <= frostNights + Self.frostBeyondNights)
    #expect(Double(counts.anomaly) <= max(2, Double(Self.anomalies) * share))
    #expect(counts.watering <= dryings)
    #expect(counts.mostOfANight <= 2)
  }
}

/// A garden's year in the database, moved so that it ends now.
private struct Replay {
  let server: LiveServer
  let year: YearGarden
  let plot: Plot
  let devices: [Identifier]
  let start: Timestamp

  init(_ server: LiveServer, _ year: YearGarden, owner: Identifier) throws {
    self.server = server
    self.year = year
    plot = try Plot(server, owner: owner)
    let end = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
    let day: Int64 = 86_400_000
    start = Timestamp(unixMilliseconds: (end.unixMilliseconds / day - 366) * day)
    devices = YearGarden.names.map { _ in TestDevice.newIdentifier() }
  }

  /// Writes the devices, their readings as sealed days, as a server would have them by now, and the hours of these.
  func store() throws {
    let (garden, first, longitude) = (plot.garden, start, year.station.longitude)
    try server.withDatabase { database in
      try await database.execute("UPDATE gardens SET longitude = \(longitude) WHERE id = \(garden)")
      try await database.execute("DELETE FROM devices WHERE garden_id = \(garden)")
    }
    for (device, name) in zip(devices, YearGarden.names) {
      try server.withDatabase { database in
        try await database.execute(
          """
          INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
          VALUES (\(device), \(garden), \(name), sha256(\(device)::text::bytea), now(), now())
          """)
      }
    }
    for sensor in year.sensors {
      let device = devices[Int(sensor.device.low)]
      try server.withDatabase { database in
        let (type, values) = (sensor.type, sensor.values)
        try await database.execute(
          """
          WITH measured AS (
            SELECT \(first)::timestamptz + (n - 1) * interval '10 minutes' AS at, value
            FROM unnest(\(values)::float8[]) WITH ORDINALITY AS v (value, n)
          ), sealed AS (
            INSERT INTO readings_sealed (device_id, sensor_type, start, times, values)
            SELECT \(device), \(type), day, array_agg((extract(epoch FROM at - day) * 1000)::integer ORDER BY at),
              array_agg(value ORDER BY at)
            FROM (SELECT *, date_bin('1 day', at, \(first)) AS day FROM measured) days GROUP BY day
          )
          INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
          SELECT \(device), \(type), date_bin('1 hour', at, \(first)), min(value), max(value), sum(value), count(*)
          FROM measured GROUP BY 3
          """)
      }
    }
  }

  /// Looks at the garden once an hour, each time in a transaction of its own, as a pass does; returns the days for
  /// which there was time.
  func look(_ days: Range<Int>, minutes: Int) throws -> Range<Int> {
    let (garden, first) = (plot.garden, start)
    let end = Clock.monotonic() + UInt64(min(minutes, 100_000)) * 60_000_000_000
    return try server.withDatabase { database in
      for hour in days.lowerBound * 24..<days.upperBound * 24 {
        if hour % 24 == 0, Clock.monotonic() > end { return days.lowerBound..<hour / 24 }
        let now = first.advanced(byHours: Double(hour))
        try await database.transaction { transaction in
          // By the clock of the watch of devices, which is the real one, they have been silent for months.
          try await transaction.execute(
            "UPDATE devices SET last_seen_at = \(now), silence_told_at = NULL WHERE garden_id = \(garden)")
          let rows = try await transaction.query(Self.garden, garden, now)
          var columns = rows[0].columns
          let look = GardenLook(garden: try ObservedGarden(&columns), now: now) { TestDevice.newIdentifier() }
          _ = try await look.insights(transaction)
        }
      }
      return days
    }
  }

  private static let garden = Statement(
    "replay.garden", "SELECT \(ObservedGarden.columns(at: "$2")) FROM gardens WHERE id = $1")

  /// The number of nights in which the first bed's air was at or below freezing between 18 h and 8 h by the sun.
  func frostNights(_ days: Range<Int>) -> Int64 {
    let air = year.sensors[0].values
    return Int64(
      days.filter { day in
        let from = Int((Double(day * 24 + 18) - year.station.longitude / 15) * 6)
        return air[max(0, from)..<min(air.count, from + 84)].contains { $0 <= 0 }
      }.count)
  }

  /// How often a bed became dry in `days` or in the day before them.
  func dryings(_ days: Range<Int>) -> Int64 {
    let steps = (days.lowerBound - 1) * 24 * StationYear.stepsPerHour..<days.upperBound * 24 * StationYear.stepsPerHour
    return Int64(year.dryings.count { steps.contains($0) })
  }

  func counts() throws -> (frost: Int64, anomaly: Int64, watering: Int64, mostOfANight: Int64) {
    let (garden, longitude) = (plot.garden, year.station.longitude)
    return try server.withDatabase { database in
      let rows = try await database.query(
        """
        SELECT count(*) FILTER (WHERE type = 'frost'), count(*) FILTER (WHERE type = 'anomaly'),
          count(*) FILTER (WHERE type = 'watering'), coalesce((
            SELECT max(n) FROM (
              SELECT count(*) AS n FROM insights WHERE garden_id = \(garden) AND type = 'frost'
              GROUP BY date_trunc('day', created_at + \(longitude / 15 - 12) * interval '1 hour')
            ) nights), 0)
        FROM insights WHERE garden_id = \(garden)
        """)
      return try rows[0].decode((Int64.self, Int64.self, Int64.self, Int64.self))
    }
  }
}
