import JSON
import Postgres
import Reactor
import Synchronization
import Telemetry
import Testing
import Values

@testable import Gardens
@testable import Web

@Suite("Sealed days", .blocking)
struct ReadingsSealingTests {
  private static let day: Int64 = 86_400_000

  /// A server whose tables for sealed days are old enough for sealing to begin, which the tests do themselves.
  private func server() throws -> LiveServer {
    let server = try LiveServer(["READINGS_SEALING": "off"])
    try server.withDatabase { try await $0.execute("UPDATE schema_migrations SET applied_at = '2000-01-01Z'") }
    return server
  }

  private func logger(_ server: LiveServer) -> Logger { Logger(LogSink(style: server.configuration.logStyle)) }

  /// Seals all that can be sealed; returns the number of runs.
  @discardableResult
  private func seal(_ server: LiveServer, packedPerRun: Int = ReadingsSealing.packedPerRun) throws -> Int {
    let sealing = ReadingsSealing(logger: logger(server), readingsPerRun: 1_000, packedPerRun: packedPerRun)
    return try server.withDatabase { database in
      var runs = 1
      func isMore() async throws -> Bool {
        try await database.transaction(timeoutMilliseconds: 120_000) { try await sealing.run($0) }
      }
      while try await isMore() {
        await sealing.duty.onCommit()
        runs += 1
      }
      return runs
    }
  }

  /// Runs `sealing` as its duty does, until nothing is left to do but what somebody who reads keeps it from, or what
  /// takes too long.
  private func run(_ sealing: ReadingsSealing, _ database: Database) async throws {
    for _ in 0..<20 {
      do {
        let isMore = try await database.transaction(timeoutMilliseconds: 3_000) { try await sealing.run($0) }
        await sealing.duty.onCommit()
        if !isMore { break }
      } catch {
        let failure = error as? PostgresError
        #expect(failure?.isLockTimeout == true || failure?.kind == .timeout)
        if await !sealing.duty.onFailure(error) { break }
      }
    }
  }

  /// The midnight of `days` ago, in milliseconds since 1970.
  private func midnight(_ days: Int64) -> Int64 {
    (Clock.unixMilliseconds().floorDivided(by: Self.day) - days) * Self.day
  }

  /// Readings of two types, every minute from the midnight of `daysAgo` on, most a few milliseconds late.
  private func samples(_ count: Int, daysAgo: Int64) -> [Sample] {
    (0..<count).flatMap { index in
      let at = Timestamp(unixMilliseconds: midnight(daysAgo) + Int64(index) * 60_000 + Int64(index * 7 % 50))
      return [
        Sample(type: "ph", value: Double(index % 10) / 8, at: at), Sample(type: "rain", value: Double(index), at: at),
      ]
    }
  }

  private func rows(_ server: LiveServer, _ sql: String) throws -> Int {
    try server.withDatabase { database in
      try await database.query(SQL(unescaped: sql))[0].decode(Int.self, 0)
    }
  }

  /// The device's readings in every form in which clients read them.
  private func views(_ device: TestDevice, from: Timestamp) throws -> [String] {
    var texts: [String] = []
    for query in ["?limit=10000", "?limit=10000&sensorType=ph", "?limit=10000&sensorType=rain"] {
      texts.append(try device.client.get(device.path + query + "&from=\(from)", headers: ["Accept: text/csv"]).text)
    }
    for page in try device.client.pages(from: "\(device.path)?limit=37&from=\(from)") {
      texts.append(try page.items.map { "\($0)" }.joined())
    }
    let lines = try device.owner.get("/api/users/me/export").text.split(separator: "\n")
    return texts + lines.filter { $0.contains(#""kind":"reading""#) }.map(String.init).sorted()
  }

  @Test("show every reader what was there before, from one row for each sensor and day")
  func history() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let all: [Sample] = (3...5).flatMap { samples(120, daysAgo: $0) } + Sample.series(20)
    for start in stride(from: 0, to: all.count, by: 200) {
      let part = Array(all[start..<min(start + 200, all.count)])
      #expect(try device.post(device.client, part).receipt == [Int64(part.count), 0])
    }
    let from = Timestamp(unixMilliseconds: midnight(5) + 30 * 60_000)
    let (before, stored) = (try views(device, from: from), try device.stored())
    #expect(stored.count == all.count)
    try seal(server)
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed") == 6)
    #expect(try rows(server, "SELECT count(*) FROM readings_late") == 0)
    #expect(try views(device, from: from) == before)
    #expect(try device.stored() == stored)
    let between = """
      SELECT count(*) FROM readings_between('\(from)', '\(Timestamp(unixMilliseconds: midnight(4)))')
      WHERE sensor_type = 'rain'
      """
    #expect(try rows(server, between) == 90)
  }

  @Test("accept late and repeated readings as open days do, and merge them")
  func late() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let known = samples(60, daysAgo: 3)
    #expect(try device.post(device.client, known).receipt == [120, 0])
    for isSealed in [false, true] {
      if isSealed { try seal(server) }
      var changed = known[0]
      changed.value += 0.5
      let at = known[10].at.advanced(byMilliseconds: isSealed ? 1_001 : 1_000)
      let new = Sample(type: "ph", value: 5, at: at)
      var other = new
      other.value = 6
      let reply = try device.post(device.client, [known[4], changed, new, new, other, Sample.series(1)[0]])
      // In both rounds `new` and the recent reading are new.
      #expect(try reply.json["accepted"]?.integer == 2)
      #expect(try reply.json["duplicates"]?.integer == 2)
      #expect(try reply.rejected == ["1 conflict", "4 conflict"])
      #expect(try device.post(device.client, known + [new]).receipt == [0, 121])
    }
    let stored = try device.stored()
    #expect(stored.count == 124)
    #expect(try rows(server, "SELECT count(*) FROM readings_late") == 1)
    try seal(server)
    #expect(try rows(server, "SELECT count(*) FROM readings_late") == 0)
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed") == 2)
    #expect(try device.stored() == stored)
    #expect(
      try rows(server, "SELECT count(*) FROM (SELECT DISTINCT sensor_type, measured_at FROM all_readings) r") == 124)
    let hour = "\(device.path)?resolution=1h&sensorType=ph&from=\(Timestamp(unixMilliseconds: midnight(3)))"
    #expect(
      try holds(within: 30) { try device.client.get(hour).json["items"]?.elements?.first?["count"]?.integer == 62 })
  }

  @Test("are searched once for a whole request, however dense their readings are")
  func dense() throws {
    let server = try LiveServer(["READINGS_SEALING": "off", "DATABASE_STATEMENT_TIMEOUT_MILLISECONDS": "3000"])
    defer { server.stop() }
    let device = try TestDevice(server)
    #expect(try device.post(device.client, Sample.series(1, type: "light")).status == 200)
    let (id, start) = (device.id, midnight(5))
    try server.withDatabase { database in
      try await database.transaction(timeoutMilliseconds: 60_000) { transaction in
        try await transaction.execute(
          """
          INSERT INTO readings_sealed
          SELECT \(id), 'light', \(Timestamp(unixMilliseconds: start)), array_agg(n * 250), array_agg((n % 1000)::float8)
          FROM generate_series(0, 345599) n
          """)
      }
    }
    let known = (340_000..<341_000).map { index in
      Sample(type: "light", value: Double(index % 1_000), at: Timestamp(unixMilliseconds: start + Int64(index) * 250))
    }
    // Often enough for plans made for these parameters, and then for the generic plan.
    for _ in 0..<7 { #expect(try device.post(device.client, known).receipt == [0, 1_000]) }
    let fresh = known.map { Sample(type: "light", value: 1, at: $0.at.advanced(byMilliseconds: 1)) }
    #expect(try device.post(device.client, fresh).receipt == [1_000, 0])
    let lines = (known + fresh).map { "\($0.type),\($0.value),\($0.at)" }
    let reply = try device.owner.send(
      "POST", "/api/devices/\(device.id)/history",
      (["sensorType,value,measuredAt"] + lines).joined(separator: "\n"), type: "text/csv")
    #expect(try reply.json["skipped"]?["reading"]?.integer == 2_000)
    #expect(try device.stored().count == 346_601)
  }

  @Test("skip readings that an imported history repeats, and count each once in their hours")
  func repeated() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let known = samples(60, daysAgo: 3)
    #expect(try device.post(device.client, known).receipt == [120, 0])
    try seal(server)
    let new = Sample(type: "ph", value: 5, at: known[10].at.advanced(byMilliseconds: 1_001))
    let lines = (known + [new]).map { "\($0.type),\($0.value),\($0.at)" }
    let reply = try device.owner.send(
      "POST", "/api/devices/\(device.id)/history",
      (["sensorType,value,measuredAt"] + lines).joined(separator: "\n"), type: "text/csv")
    #expect(try reply.json["created"]?["reading"]?.integer == 1)
    #expect(try reply.json["skipped"]?["reading"]?.integer == 120)
    #expect(try device.stored().count == 121)
    let hour = "\(device.path)?resolution=1h&sensorType=ph&from=\(Timestamp(unixMilliseconds: midnight(3)))"
    #expect(
      try holds(within: 30) { try device.client.get(hour).json["items"]?.elements?.first?["count"]?.integer == 61 })
  }

  @Test("accept each reading once while many clients send the same ones and days are sealed")
  func together() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let parts = (0..<8).map { part in samples(400, daysAgo: 3 + Int64(part % 3)) }
    let accepted = Mutex<Int64>(0)
    try concurrently(6) { index in
      if index == 0 {
        for _ in 0..<10 { _ = try? seal(server) }
        return
      }
      for part in parts {
        for start in stride(from: 0, to: part.count, by: 100) {
          guard let reply = try? device.post(device.client, Array(part[start..<start + 100])), reply.status == 200,
            let count = try? reply.receipt[0]
          else { continue }
          accepted.withLock { $0 += count }
        }
      }
    }
    try seal(server)
    #expect(accepted.withLock { $0 } == 2_400)
    #expect(try device.stored().count == 2_400)
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed") == 6)
  }

  @Test("are made from a day's partition, a few series at a time, and a run that is broken off leaves nothing behind")
  func partition() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let id = device.id
    let (past, next) = (Timestamp(unixMilliseconds: midnight(5)), Timestamp(unixMilliseconds: midnight(4)))
    try server.withDatabase { database in
      try await database.transaction(timeoutMilliseconds: 120_000) { transaction in
        let partitions = ReadingPartitions(retention: Retention(days: 30), logger: logger(server))
        try await partitions.make([CivilDate(past)], transaction)
        try await transaction.execute(
          """
          INSERT INTO readings SELECT \(id), 't' || lpad(s::text, 3, '0'), \(past) + i * interval '10 minutes', i * s
          FROM generate_series(1, 20) s, generate_series(0, 143) i
          """)
      }
    }
    let before = try device.stored()
    // A run that is broken off leaves everything where it was.
    let sealing = ReadingsSealing(logger: logger(server), readingsPerRun: 1_000)
    struct Killed: Error {}
    try server.withDatabase { database in
      await #expect(throws: Killed.self) {
        try await database.transaction(timeoutMilliseconds: 120_000) { transaction in
          #expect(try await sealing.run(transaction))
          throw Killed()
        }
      }
    }
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed") == 0)
    #expect(try device.stored() == before)
    #expect(try seal(server) > 3)
    #expect(try device.stored() == before)
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed") == 20)
    #expect(
      try rows(
        server, "SELECT count(*) FROM pg_class WHERE relname = '\(ReadingPartitions.table(of: CivilDate(past)))'") == 0)
    #expect(try rows(server, "SELECT count(*) FROM readings_between('\(past)', '\(next)')") == 2_880)
  }

  @Test("leave out a series that has too many readings in a day, and are made of all others")
  func tooDense() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let (id, past, late) = (
      device.id, Timestamp(unixMilliseconds: midnight(5)), Timestamp(unixMilliseconds: midnight(7))
    )
    try server.withDatabase { database in
      try await database.transaction(timeoutMilliseconds: 120_000) { transaction in
        let partitions = ReadingPartitions(retention: Retention(days: 30), logger: logger(server))
        try await partitions.make([CivilDate(past)], transaction)
        for (table, start) in [("readings", past), ("readings_late", late)] {
          try await transaction.execute(
            """
            INSERT INTO \(unescaped: table) SELECT \(id), type, \(start) + i * interval '1 second', i
            FROM (VALUES ('a', 100), ('b', 400), ('c', 100)) AS series (type, count), generate_series(1, count) i
            """)
        }
      }
    }
    let stored = try device.stored()
    try seal(server, packedPerRun: 150)
    #expect(try device.stored() == stored)
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed WHERE sensor_type IN ('a', 'c')") == 4)
    #expect(try rows(server, "SELECT count(*) FROM readings WHERE sensor_type = 'b'") == 400)
    #expect(try rows(server, "SELECT count(*) FROM readings_late WHERE sensor_type = 'b'") == 400)
    #expect(try rows(server, "SELECT count(*) FROM all_readings") == 1_200)
    // What was sealed before counts too.
    for (count, left) in [(40, 0), (20, 20)] {
      try server.withDatabase { database in
        try await database.execute(
          """
          INSERT INTO readings_late SELECT \(id), 'c', \(late) + (\(count) * 100 + i) * interval '1 minute' / 10, 0
          FROM generate_series(1, \(count)) i
          """)
      }
      try seal(server, packedPerRun: 150)
      #expect(try rows(server, "SELECT count(*) FROM readings_late WHERE sensor_type = 'c'") == left)
    }
    #expect(try device.stored().count == 1_260)
  }

  @Test("leave out a series that takes too long to pack, and are made of all others")
  func tooSlow() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let (id, past) = (device.id, Timestamp(unixMilliseconds: midnight(5)))
    let sealing = ReadingsSealing(logger: logger(server), readingsPerRun: 1_000, packedPerRun: 800)
    try server.withDatabase { database in
      try await database.transaction(timeoutMilliseconds: 120_000) { transaction in
        let partitions = ReadingPartitions(retention: Retention(days: 30), logger: logger(server))
        try await partitions.make([CivilDate(past)], transaction)
        try await transaction.execute(
          """
          INSERT INTO readings SELECT \(id), type, \(past) + i * interval '1 second', i
          FROM (VALUES ('a', 100), ('b', 300), ('c', 100)) AS series (type, count), generate_series(1, count) i
          """)
        try await transaction.script(
          """
          CREATE FUNCTION delay() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
          CREATE TRIGGER delay BEFORE INSERT ON readings_sealed FOR EACH ROW WHEN (cardinality(NEW.times) = 300)
            EXECUTE FUNCTION delay();
          """)
      }
      try await run(sealing, database)
    }
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed WHERE sensor_type IN ('a', 'c')") == 2)
    #expect(try rows(server, "SELECT count(*) FROM readings") == 300)
    #expect(try rows(server, "SELECT count(*) FROM all_readings") == 500)
  }

  @Test("are not made while the previous release may still run, nor if they would differ from what was there")
  func refusals() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    #expect(try device.post(device.client, samples(30, daysAgo: 3)).status == 200)
    try server.withDatabase { try await $0.execute("UPDATE schema_migrations SET applied_at = now()") }
    #expect(try seal(server) == 1)
    #expect(try rows(server, "SELECT count(*) FROM readings_late") == 60)
    try server.withDatabase { database in
      try await database.execute("UPDATE schema_migrations SET applied_at = '2000-01-01Z'")
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN NEW.values[3] := 0.25; RETURN NEW; END $$;
          CREATE TRIGGER lose BEFORE INSERT ON readings_sealed FOR EACH ROW EXECUTE FUNCTION lose();
          """)
      }
    }
    #expect(throws: ReadingsSealing.Differs.self) { try seal(server) }
    #expect(try rows(server, "SELECT count(*) FROM readings_late") == 60)
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed") == 0)
  }

  @Test("cause buckets to be rebuilt that the previous release may have made without late readings")
  func bucketsOfBefore() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let samples = samples(30, daysAgo: 3)
    #expect(try device.post(device.client, samples).status == 200)
    func readings(in table: String) throws -> Int {
      try rows(server, "SELECT coalesce(sum(count), 0)::int FROM \(table)")
    }
    #expect(try holds { try readings(in: "readings_1d") == samples.count })
    try server.withDatabase { database in
      try await database.execute("UPDATE readings_5m SET min = max, sum = max, count = 1")
      try await database.execute("UPDATE readings_1h SET min = max, sum = max, count = 1")
      try await database.execute("UPDATE schema_migrations SET applied_at = now() - interval '2 days'")
    }
    #expect(try seal(server) > 1)
    for table in ["readings_5m", "readings_1h", "readings_1d"] {
      #expect(try holds { try readings(in: table) == samples.count })
    }
  }

  @Test("are put off if a transaction that stores late readings does not end within a second")
  func turn() throws {
    let server = try server()
    defer { server.stop() }
    let storing = try server.hold("SELECT pg_advisory_xact_lock_shared(\(Duty.lockClass), \(OpenDays.orderKey))")
    defer { storing.release() }
    let error = #expect(throws: PostgresError.self) { try seal(server) }
    #expect(error?.isLockTimeout == true)
  }

  @Test("are made of late readings even while a reader keeps a day's empty partition from being dropped")
  func reader() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    #expect(try device.post(device.client, samples(20, daysAgo: 5)).receipt == [40, 0])
    let empty = Timestamp(unixMilliseconds: midnight(3))
    let partitions = "SELECT count(*) FROM pg_class WHERE relname = '\(ReadingPartitions.table(of: CivilDate(empty)))'"
    let sealing = ReadingsSealing(logger: logger(server), readingsPerRun: 1_000)
    try server.withDatabase { database in
      try await database.transaction { try await $0.execute("SELECT readings_partition_make(\(empty)::date)") }
      try await database.transaction { reader in
        try await reader.execute("SELECT FROM readings LIMIT 1")
        try await run(sealing, database)
      }
    }
    #expect(try rows(server, "SELECT count(*) FROM readings_late") == 0)
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed") == 2)
    #expect(try rows(server, partitions) == 1)
    try seal(server)
    #expect(try rows(server, partitions) == 0)
  }

  @Test("are whole in an export that began before they were sealed, and had not come to them yet")
  func export() throws {
    let server = try server()
    defer { server.stop() }
    let device = try TestDevice(server)
    let (id, past) = (device.id, Timestamp(unixMilliseconds: midnight(5)))
    try server.withDatabase { database in
      try await database.transaction(timeoutMilliseconds: 120_000) { transaction in
        let partitions = ReadingPartitions(retention: Retention(days: 30), logger: logger(server))
        try await partitions.make([CivilDate(past)], transaction)
        try await transaction.execute(
          """
          INSERT INTO readings SELECT \(id), 'ph', \(past) + i * interval '10 minutes', i FROM generate_series(1, 100) i
          """)
        // More than anybody sends ahead of a client that does not read.
        try await transaction.execute(
          """
          INSERT INTO gardens (id, owner_id, name, created_at, updated_at)
          SELECT gen_random_uuid(), owner_id, repeat('x', 10000), now(), now() FROM gardens, generate_series(1, 2000)
          """)
      }
    }
    let wire = try Wire(port: server.port, receiveBytes: 8_192)
    try wire.send(
      """
      GET /api/users/me/export HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(try #require(device.owner.token))\r
      \r\n
      """)
    #expect(String(decoding: try wire.take(until: Array("\r\n\r\n".utf8)), as: UTF8.self).contains(" 200 "))
    var file: [UInt8] = []
    while !String(decoding: file, as: UTF8.self).contains(#""kind":"garden""#) {
      file += try #require(try wire.takeChunk())
    }
    let sealing = ReadingsSealing(logger: logger(server), readingsPerRun: 1_000)
    try server.withDatabase { try await run(sealing, $0) }
    #expect(try rows(server, "SELECT count(*) FROM readings_sealed") == 1)
    while let chunk = try wire.takeChunk() { file += chunk }
    let lines = String(decoding: file, as: UTF8.self).split(separator: "\n")
    #expect(lines.count { $0.hasPrefix(#"{"kind":"reading""#) } == 100)
  }

  @Test("are deleted with their device, and at the end of their retention")
  func ends() throws {
    let server = try server()
    defer { server.stop() }
    let (device, kept) = (try TestDevice(server), try TestDevice(server))
    for device in [device, kept] {
      #expect(try device.post(device.client, samples(10, daysAgo: 3) + samples(10, daysAgo: 5)).receipt == [40, 0])
    }
    try seal(server)
    #expect(try device.owner.delete("/api/devices/\(device.id)").status == 204)
    #expect(try device.stored().count == 0)
    #expect(try kept.stored().count == 40)
    let past = PastDays(.sealed, Retention(days: 3), logger: logger(server))
    let count = try server.withDatabase { database in
      try await database.transaction { try await past.delete($0, rows: 100) }
    }
    #expect(count == 2)
    #expect(try kept.stored().count == 20)
  }
}
