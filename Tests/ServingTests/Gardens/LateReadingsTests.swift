import Postgres
import Reactor
import Synchronization
import Testing
import Values

@testable import Gardens
@testable import Web

/// Readings of days that are over. While the first waits for the lock under which days are sealed, the others arrive.
@Suite("Readings that come late", .blocking)
struct LateReadingsTests {
  private static let daysAgo: Int64 = 4

  /// A server whose database refuses a late reading of 13, and takes ten minutes for one of 14.
  static func server(timeoutMilliseconds: Int = 60_000) throws -> LiveServer {
    let server = try LiveServer([
      "WORKERS": "1", "READINGS_SEALING": "off", "DATABASE_STATEMENT_TIMEOUT_MILLISECONDS": "\(timeoutMilliseconds)",
    ])
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN IF NEW.value = 13 THEN RAISE 'no'; ELSE PERFORM pg_sleep(600); END IF; RETURN NEW; END $$;
          CREATE TRIGGER refuse BEFORE INSERT ON readings_late FOR EACH ROW WHEN (NEW.value IN (13, 14))
            EXECUTE FUNCTION refuse();
          """)
      }
    }
    return server
  }

  static func sample(_ index: Int, _ value: Double) -> Sample {
    let midnight = Clock.unixMilliseconds().floorDivided(by: 86_400_000) * 86_400_000
    return Sample(
      value: value, at: Timestamp(unixMilliseconds: midnight - Self.daysAgo * 86_400_000 + Int64(index) * 1_000))
  }

  @Test("are refused as overload, not as too slow, if their turn does not come while a day is sealed")
  func turn() throws {
    let server = try Self.server(timeoutMilliseconds: 1_000)
    defer { server.stop() }
    let device = try TestDevice(server)
    #expect(try device.post(device.client, Sample.series(1)).status == 200)
    let refused = try server.withDatabase { database in
      try await database.transaction(timeoutMilliseconds: 120_000) { transaction in
        try await transaction.execute("SELECT pg_advisory_xact_lock(\(Duty.lockClass), \(OpenDays.orderKey))")
        return try device.post(device.client, [Self.sample(0, 1)])
      }
    }
    #expect(refused.status == 503 && refused.problem == "overloaded")
    #expect(try device.post(device.client, [Self.sample(0, 1)]).status == 200)
  }

  /// Posts each value as its device, the first one before the others, and all of them before any is stored; returns the
  /// statuses of the answers.
  private func post(_ values: [(TestDevice, Double)], to server: LiveServer) throws -> [Int] {
    // The sensor types are noted first, so that nothing else has to be waited for.
    for (device, _) in values { #expect(try device.post(device.client, Sample.series(1)).status == 200) }
    let sealing = try server.hold("SELECT pg_advisory_xact_lock(\(Duty.lockClass), \(OpenDays.orderKey))")
    defer { sealing.release() }
    let isFirstWaiting = Atomic<Bool>(false)
    let idle = try server.requestsInProgress()
    let statuses = Mutex([Int](repeating: 0, count: values.count))
    try concurrently(values.count + 1) { index in
      guard index > 0 else {
        _ = try? holds { try isWaitedFor(server) }
        isFirstWaiting.store(true, ordering: .releasing)
        _ = try? holds {
          try server.requestsInProgress() + statuses.withLock { $0.count { $0 != 0 } } >= idle + values.count
        }
        // Once these are answered, the requests before them have been handled.
        for _ in 0..<5 { _ = try? values[0].0.client.get("/api/device") }
        return sealing.release()
      }
      if index > 1 { _ = holds { isFirstWaiting.load(ordering: .acquiring) } }
      let (device, value) = values[index - 1]
      let status = try? device.post(device.client, [Self.sample(index, value)]).status
      statuses.withLock { $0[index - 1] = status ?? -1 }
    }
    return statuses.withLock { $0 }
  }

  /// Whether a session waits for the lock under which days are sealed and late readings stored.
  private func isWaitedFor(_ server: LiveServer) throws -> Bool {
    try server.withDatabase { database in
      try await !database.query(
        """
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database AND datname = current_database()
        WHERE locktype = 'advisory' AND objid = \(OpenDays.orderKey)::oid AND NOT granted
        """
      ).isEmpty
    }
  }

  /// The number of transactions that stored the late readings.
  private func transactions(_ server: LiveServer) throws -> Int {
    try server.withDatabase { database in
      try await database.query("SELECT count(DISTINCT xmin::text) FROM readings_late")[0].decode(Int.self, 0)
    }
  }

  @Test("share a transaction, however many devices send them")
  func together() throws {
    let server = try Self.server()
    defer { server.stop() }
    let devices = try (0..<30).map { _ in try TestDevice(server) }
    let statuses = try post(devices.map { ($0, 1) }, to: server)
    #expect(statuses.allSatisfy { $0 == 200 })
    #expect(try devices.allSatisfy { try $0.stored().count == 2 })
    #expect(try transactions(server) == 2)
  }

  @Test("are stored although others that came with them cannot be, or would take too long", arguments: [13.0, 14])
  func neighbours(value: Double) throws {
    let server = try Self.server(timeoutMilliseconds: value == 13 ? 60_000 : 5_000)
    defer { server.stop() }
    let devices = try (0..<5).map { _ in try TestDevice(server) }
    let statuses = try post(devices.enumerated().map { ($1, $0 == 3 ? value : 1) }, to: server)
    #expect(statuses.enumerated().allSatisfy { $0 == 3 ? $1 >= 500 : $1 == 200 }, "\(statuses)")
    #expect(try devices.map { try $0.stored().count } == [2, 2, 2, 1, 2])
  }

  @Test("of one device wait in no more than a few requests, which leaves room for others")
  func greed() throws {
    let server = try Self.server()
    defer { server.stop() }
    let (greedy, other) = (try TestDevice(server), try TestDevice(server))
    // The first request is being stored, and does not count as waiting.
    let values = [(other, 1.0)] + Array(repeating: (greedy, 1.0), count: 20) + [(other, 1.0)]
    let statuses = try post(values, to: server)
    #expect(statuses.filter { $0 == 503 }.count == 4)
    #expect(statuses.first == 200 && statuses.last == 200)
    let late = try server.withDatabase { database in
      try await database.query("SELECT count(*) FROM readings_late WHERE device_id = \(greedy.id)")[0].decode(
        Int.self, 0)
    }
    #expect(late == 16)
  }
}
