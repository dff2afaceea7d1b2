import Glibc
import JSON
import Postgres
import Reactor
import Telemetry
import Testing
import Values

@testable import Gardens
@testable import Settings
@testable import Web

@Suite("The rollup", .blocking)
struct RollupTests {
  @Test("brings buckets of all sizes up to date, for late readings too")
  func buckets() throws {
    let device = try TestDevice(LiveServer.shared.get())
    let day: Int64 = 86_400_000
    let start = Clock.unixMilliseconds().floorDivided(by: day) * day - 3 * day
    // Whole numbers, whose sums are exact in any order.
    var samples = (0..<900).map { index in
      let at = Timestamp(unixMilliseconds: start + Int64(index) * 190_000 + 777)
      return Sample(type: index % 2 == 0 ? "rain" : "custom_1", value: Double(index * 7 % 101), at: at)
    }
    let late = Array(samples[300..<420])
    samples.removeSubrange(300..<420)
    #expect(try device.post(device.client, samples).receipt == [780, 0])
    let end = start + 3 * day
    for round in [samples, samples + late] {
      if round.count > samples.count { #expect(try device.post(device.client, late).receipt == [120, 0]) }
      #expect(
        try holds {
          try device.buckets("5m", from: start, to: end) == Bucket.expected(round, 300_000)
        })
      #expect(try device.buckets("5m", from: start, to: end) == Bucket.expected(round, 300_000))
      #expect(try device.buckets("1h", from: start, to: end) == Bucket.expected(round, 3_600_000))
      #expect(try device.buckets("1d", from: start, to: end) == Bucket.expected(round, day))
    }
    // A day belongs to a span by its midnight.
    #expect(
      try device.buckets("1d", from: start + 1, to: end).first?.start
        == "\(Timestamp(unixMilliseconds: start + day))")
  }

  @Test("counts each reading once in its bucket, before and after the first duplicate")
  func duplicates() throws {
    // A server of its own, which has seen no duplicate yet and so expects none.
    let server = try LiveServer()
    defer { server.stop() }
    let device = try TestDevice(server)
    let id = device.id
    let samples = Sample.series(40)
    #expect(try device.post(device.client, Array(samples[..<20])).receipt == [20, 0])
    #expect(try device.post(device.client, Array(samples[10..<30])).receipt == [10, 10])
    #expect(try device.post(device.client, samples).receipt == [10, 30])
    let wanted = samples.reduce(0) { $0 + $1.value }
    let isRight = try holds {
      let (count, sum) = try server.withDatabase { database in
        let rows = try await database.query(
          "SELECT coalesce(sum(count), 0)::bigint, coalesce(sum(sum), 0) FROM readings_5m WHERE device_id = \(id)")
        return try rows[0].decode((Int.self, Double.self))
      }
      return (count, sum) == (40, wanted)
    }
    #expect(isRight)
    #expect(try device.stored() == (40, wanted))
  }

  @Test("rebuilds a queued bucket, whatever was added to it, and loses no other bucket's additions")
  func anew() throws {
    let server = try LiveServer.shared.get()
    let device = try TestDevice(server).id
    let start = Timestamp(unixMilliseconds: Clock.unixMilliseconds().floorDivided(by: 300_000) * 300_000)
    let buckets = try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute(
          """
          INSERT INTO readings (device_id, sensor_type, measured_at, value)
          SELECT \(device), 'rain', \(start) + i * interval '1 s', i FROM generate_series(1, 3) i
          """)
        // More than one run takes, so that additions lie on both sides of the cut.
        try await transaction.execute(
          """
          INSERT INTO rollup_queue (device_id, sensor_type, start, min, max, sum, count)
          SELECT \(device), 'rain', \(start), 0, 9, 9, CASE WHEN i > 1 THEN 1 END
          FROM generate_series(1, \(Rollup.queueRows) + 10) i
          """)
        try await transaction.execute(
          """
          INSERT INTO rollup_additions (device_ids, sensor_types, starts, minima, maxima, sums, counts)
          SELECT ARRAY[\(device), \(device)], ARRAY['rain', 'wind'], ARRAY[\(start), \(start)], ARRAY[0.0, i],
            ARRAY[9.0, i], ARRAY[9.0, i], ARRAY[1, 1]
          FROM generate_series(1, \(Rollup.statements) + 10) i
          """)
        let rollup = Rollup { _, _ in }
        while try await rollup.run(transaction) {}
        let rows = try await transaction.query(
          "SELECT min, max, sum, count FROM readings_5m WHERE device_id = \(device) ORDER BY sensor_type")
        return try rows.map { try $0.decode((Double.self, Double.self, Double.self, Int.self)) }
      }
    }
    let count = Rollup.statements + 10
    #expect(buckets.count == 2)
    #expect(buckets[0] == (1, 3, 6, 3))
    #expect(buckets[1] == (1, Double(count), Double(count * (count + 1) / 2), count))
    #expect(try Self.isDone(with: device, server))
  }

  /// Whether the buckets of a device are up to date.
  static func isDone(with device: Identifier, _ server: LiveServer) throws -> Bool {
    try server.withDatabase { database in
      try await database.query(
        """
        SELECT NOT EXISTS (SELECT 1 FROM rollup_queue WHERE device_id = \(device))
          AND NOT EXISTS (SELECT 1 FROM rollup_additions WHERE \(device) = ANY (device_ids))
        """)[0].decode(Bool.self, 0)
    }
  }

  @Test("goes on with other devices while one's hours are being written, and then with that one")
  func heldHours() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (held, other) = (try TestDevice(server), try TestDevice(server))
    let (id, ids) = (held.id, [held.id, other.id])
    let hour = (Clock.unixMilliseconds() / 3_600_000 - 1) * 3_600_000
    let (first, second) = (Timestamp(unixMilliseconds: hour), Timestamp(unixMilliseconds: hour + 300_000))
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended('hours ' || \(id)::text, 0))")
        try await transaction.execute("INSERT INTO readings_1h VALUES (\(id), 'ph', \(first), 7, 7, 7, 1)")
        try await database.transaction { readings in
          try await readings.execute(
            """
            INSERT INTO readings SELECT id, 'ph', at, 7 FROM unnest(\(ids)) id, unnest(\([first, second])) at
            """)
          try await readings.execute(
            """
            INSERT INTO rollup_additions
            SELECT array_agg(id), array_agg('ph'::text), array_agg(\(first)::timestamptz), array_agg(7::float8),
              array_agg(7::float8), array_agg(7::float8), array_agg(1)
            FROM unnest(\(ids)) id
            """)
          try await readings.execute(
            "INSERT INTO rollup_queue (device_id, sensor_type, start) SELECT id, 'ph', \(second) FROM unnest(\(ids)) id"
          )
        }
        #expect(try holds(within: 20) { try other.buckets("5m", from: hour, to: hour + 3_600_000).count == 2 })
        #expect(try held.buckets("5m", from: hour, to: hour + 3_600_000).isEmpty)
      }
    }
    #expect(
      try holds { try held.buckets("1h", from: hour, to: hour + 3_600_000).map(\.numbers) == [[7, 7, 7, 2]] })
    #expect(try Self.isDone(with: id, server))
  }

  @Test("leaves no buckets of a device that is gone")
  func erased() throws {
    let server = try LiveServer.shared.get()
    let device = try TestDevice(server)
    let id = device.id
    #expect(try device.post(device.client, Sample.series(10)).status == 200)
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute("DELETE FROM devices WHERE id = \(id)")
        try await transaction.execute("DELETE FROM readings_5m WHERE device_id = \(id)")
        try await transaction.execute("DELETE FROM readings_1h WHERE device_id = \(id)")
      }
    }
    #expect(try holds { try Self.isDone(with: id, server) })
    let left = try server.withDatabase { database in
      try await database.query("SELECT count(*) FROM readings_5m WHERE device_id = \(id)")[0].decode(Int.self, 0)
    }
    #expect(left == 0)
  }

  @Test("keeps up with live devices although an import has queued far more")
  func afterImport() throws {
    let server = try LiveServer.shared.get()
    let (importing, live) = (try TestDevice(server).id, try TestDevice(server).id)
    let start = Timestamp(unixMilliseconds: Clock.unixMilliseconds() / 300_000 * 300_000)
    let (count, left) = try server.withDatabase { database in
      try await database.transaction { transaction in
        // No other rollup takes these rows before this transaction ends.
        try await transaction.execute(
          """
          INSERT INTO rollup_queue (device_id, sensor_type, start)
          SELECT \(importing), 'ph', \(start) - i * interval '5 minutes' FROM generate_series(1, 20000) i
          """)
        try await transaction.execute(
          """
          INSERT INTO rollup_additions
          VALUES (ARRAY[\(live)], ARRAY['ph'], ARRAY[\(start)], ARRAY[7.0], ARRAY[7.0], ARRAY[7.0], ARRAY[1])
          """)
        _ = try await Rollup { _, _ in }.run(transaction)
        let rows = try await transaction.query(
          """
          SELECT (SELECT count(*) FROM readings_5m WHERE device_id = \(live)),
            (SELECT count(*) FROM rollup_queue WHERE device_id = \(importing))
          """)
        try await transaction.execute("DELETE FROM rollup_queue WHERE device_id = \(importing)")
        return try rows[0].decode((Int.self, Int.self))
      }
    }
    #expect(count == 1)
    #expect(left >= 20_000 - Rollup.queueRows)
  }

  @Test("keeps no readings of devices that are deleted while they post", arguments: ["device", "garden", "account"])
  func races(end: String) throws {
    let server = try LiveServer.shared.get()
    let devices = try (0..<3).map { _ in try TestDevice(server) }
    for device in devices {
      let statuses = try together(6) { index -> [Int] in
        if index == 0 {
          let target =
            switch end {
            case "device": "/api/devices/\(device.id)"
            case "garden": "/api/gardens/\(device.garden)"
            default: "/api/users/me"
            }
          let body = end == "account" ? #"{"password":"\#(LiveServer.password)"}"# : nil
          return [try Client(server, token: device.owner.token).delete(target, body).status]
        }
        let client = device.client
        return try (0..<40).map { round in
          let at = Clock.unixMilliseconds() - Int64(index * 100_000 + round * 1_000)
          return try device.post(client, [Sample(value: 1, at: Timestamp(unixMilliseconds: at))]).status
        }
      }
      #expect(statuses[0] == [204])
    }
    // As by a statement that was in flight for long.
    let ids = devices.map(\.id)
    try server.withDatabase { database in
      _ = try await database.execute("INSERT INTO readings SELECT id, 'ph', now(), 7 FROM unnest(\(ids)) id")
    }
    let isGone = try holds(within: 30) {
      try server.withDatabase { database in
        try await database.query("SELECT count(*) FROM readings WHERE device_id = ANY (\(ids))")[0].decode(Int.self, 0)
      } == 0
    }
    #expect(isGone)
  }

  @Test("keeps up with live devices although the queue cannot be emptied")
  func failingQueue() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let device = try TestDevice(server)
    let id = device.id
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'object_in_use'; END $$;
          CREATE TRIGGER fail BEFORE DELETE ON rollup_queue FOR EACH ROW EXECUTE FUNCTION fail();
          """)
        try await transaction.execute(
          "INSERT INTO rollup_queue (device_id, sensor_type, start) VALUES (\(id), 'ph', '2026-01-01Z')")
      }
    }
    #expect(try device.post(device.client, Sample.series(3)).receipt == [3, 0])
    #expect(try holds { try !device.buckets("5m", from: 0, to: Clock.unixMilliseconds() + 300_000).isEmpty })
    #expect(holds { server.log.lines.contains { $0.contains("A duty failed") && $0.contains("readings.rollup") } })
  }
}
