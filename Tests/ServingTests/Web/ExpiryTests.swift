import Postgres
import Reactor
import Telemetry
import Testing
import Values

@testable import Accounts
@testable import Gardens
@testable import Web

@Suite("What has expired", .blocking)
struct ExpiryTests {
  @Test("is deleted: idempotency keys and sessions")
  func keysAndSessions() throws {
    let server = try LiveServer.shared.get()
    let device = try TestDevice(server)
    let counts = try server.withDatabase { database in
      try await database.transaction { transaction in
        try await Self.insertKeysAndSessions(of: device, transaction)
        for expiry in [IdempotencyKey.expiry, AccountFeature.sessionExpiry] {
          #expect(try await expiry.duty.run(transaction) == false)
        }
        return try await Self.countKeysAndSessions(of: device, transaction)
      }
    }
    // The third session is the owner's own.
    #expect(counts == (2, 3))
  }

  @Test("is deleted even while something else that has expired cannot be, and the metrics say what")
  func failure() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let device = try TestDevice(server)
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
          CREATE TRIGGER fail BEFORE DELETE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION fail();
          """)
        try await Self.insertKeysAndSessions(of: device, transaction)
      }
    }
    let replica = try server.replica()
    defer { replica.stop() }
    #expect(
      try holds {
        let counts = try server.withDatabase { database in
          try await database.transaction { try await Self.countKeysAndSessions(of: device, $0) }
        }
        let metrics = try Client(replica).get("/metrics").text
        return counts == (3, 3)
          && metrics.contains(#"housekeeping_runs_total{duty="expiry.idempotencyKeys",result="failed"} 1"#)
      })
  }

  /// Inserts three of each, one of which is past its time.
  private static func insertKeysAndSessions(of device: TestDevice, _ transaction: Transaction) async throws {
    try await transaction.execute(
      """
      INSERT INTO idempotency_keys
      SELECT owner_id, hours::text, '', 200, '', '', now() - hours * interval '1 hour'
      FROM gardens, unnest('{1,23,25}'::int[]) hours WHERE id = \(device.garden)
      """)
    try await transaction.execute(
      """
      INSERT INTO sessions (id, user_id, client_address, created_at, last_used_at, expires_at)
      SELECT gen_random_uuid(), owner_id, '', now(), now(), now() - hours * interval '1 hour'
      FROM gardens, unnest('{1,23,25}'::int[]) hours WHERE id = \(device.garden)
      """)
  }

  private static func countKeysAndSessions(
    of device: TestDevice, _ transaction: Transaction
  ) async throws -> (Int, Int) {
    let rows = try await transaction.query(
      """
      SELECT (SELECT count(*) FROM idempotency_keys k JOIN gardens g ON g.owner_id = k.user_id WHERE g.id = \(device.garden)),
        (SELECT count(*) FROM sessions s JOIN gardens g ON g.owner_id = s.user_id WHERE g.id = \(device.garden))
      """)
    return try rows[0].decode((Int.self, Int.self))
  }

  // MARK: Days of measurements

  /// A server with two rows in each table for each of eight days, five of which are past their time.
  private func serverWithDays() throws -> LiveServer {
    let server = try LiveServer(["READINGS_SEALING": "off"])
    try server.withDatabase { database in
      let id = TestDevice.newIdentifier()
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE TABLE days AS
            SELECT '\(id)'::uuid AS id, type, date_bin('1 day', now(), '2000-01-01Z') - ago * interval '1 day' AS start
            FROM unnest('{20,21,22,23,24,5,6,7}'::int[]) ago, unnest('{ph,rain}'::text[]) type;
          INSERT INTO readings_late SELECT id, type, start, 1 FROM days;
          INSERT INTO readings_sealed SELECT id, type, start, '{0}', '{1}' FROM days;
          INSERT INTO readings_5m SELECT id, type, start, 1, 1, 1, 1 FROM days;
          """)
      }
    }
    return server
  }

  private static let tables: [PastDays.Table] = [.late, .sealed, .buckets]

  private func pastDays(_ server: LiveServer, aheadMilliseconds: Int64 = 0) -> [PastDays] {
    let logger = Logger(LogSink(style: server.configuration.logStyle))
    let retention = Retention(days: 10) {
      Timestamp(unixMilliseconds: Clock.unixMilliseconds() + aheadMilliseconds)
    }
    return Self.tables.map { PastDays($0, retention, logger: logger) }
  }

  @Test("is deleted two days at a time, oldest first: late readings, sealed ones and buckets")
  func days() throws {
    let server = try serverWithDays()
    defer { server.stop() }
    for past in pastDays(server) {
      let counts = try server.withDatabase { database in
        var counts: [Int] = []
        for _ in 0..<6 {
          counts.append(try await database.transaction { try await past.delete($0, rows: 3) })
        }
        return counts
      }
      // Fewer rows than the three asked for are the end of two days.
      #expect(counts == [3, 1, 3, 1, 2, 0])
    }
    #expect(try rowCounts(server) == [6, 6, 6])
  }

  @Test(
    "stays while two clocks differ by more than a minute: late readings, sealed ones and buckets",
    arguments: [-61_000, 61_000, 40 * 86_400_000])
  func wrongClock(aheadMilliseconds: Int64) throws {
    let server = try serverWithDays()
    defer { server.stop() }
    for past in pastDays(server, aheadMilliseconds: aheadMilliseconds) {
      try server.withDatabase { database in
        await #expect(throws: Retention.ClocksDiffer.self) {
          try await database.transaction { try await past.duty.run($0) }
        }
      }
    }
    #expect(try rowCounts(server) == [16, 16, 16])
  }

  private func rowCounts(_ server: LiveServer) throws -> [Int] {
    try server.withDatabase { database in
      var counts: [Int] = []
      for table in Self.tables {
        let rows = try await database.query("SELECT count(*) FROM \(unescaped: table.name)")
        counts.append(try rows[0].decode(Int.self, 0))
      }
      return counts
    }
  }
}
