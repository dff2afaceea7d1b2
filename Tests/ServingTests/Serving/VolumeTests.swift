import Agronomy
import Glibc
import JSON
import Reactor
import Telemetry
import Testing
import Values

@testable import Commerce
@testable import Gardens
@testable import Insights
@testable import Postgres
@testable import Serving

/// The blocks of 8 KiB that each statement reads at a volume of data, a number that no other load of the machine
/// changes. `make volume-test` loads years of data; otherwise some days are loaded, with the same bounds.
@Suite("At volume", .blocking, .serialized, .timeLimit(.minutes(60)))
struct VolumeTests {
  /// The numbers of devices, with ten sensors each, of days with buckets of five minutes and of an hour, of businesses,
  /// of orders and of insights.
  private struct Volume {
    var devices = 3
    var fiveMinuteDays = 4
    var hourDays = 40
    var businesses = 300
    var orders = 3_000
    var insights = 50_000

    static var wanted: Volume {
      guard getenv("VOLUME") != nil else { return Volume() }
      return Volume(devices: 10, fiveMinuteDays: 365, hourDays: 1_095, businesses: 10_000, orders: 100_000)
    }
  }

  /// The server whose database has the volume, made once.
  private static let loaded = Result { try load(.wanted) }

  private static func load(_ volume: Volume) throws -> LiveServer {
    let server = try LiveServer(["RATE_LIMIT_ANONYMOUS": "off"])
    var configuration = DatabaseConfiguration(url: server.databaseURL)
    configuration.statementTimeoutMilliseconds = 3_600_000
    try Database.standalone(configuration, connectSeconds: 30) { database in
      try await database.transaction(timeoutMilliseconds: 0) { try await $0.script(script(volume)) }
      try await database.execute("VACUUM ANALYZE")
    }
    return server
  }

  /// Fills the tables as years of use would: rows that came at the same time stand together. The many devices are due
  /// after the tests, but not so late that `DeviceWatch` would correct them.
  private static func script(_ volume: Volume) -> String {
    """
    SET LOCAL synchronous_commit = off;
    CREATE FUNCTION made(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
      $$ SELECT (lpad(to_hex(kind), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
    INSERT INTO users (id, email, email_key, display_name, password_hash, created_at, updated_at)
    SELECT made(1, n), n || '@example.org', n || '@example.org', 'Someone', '-', now(), now()
    FROM generate_series(1, \(volume.businesses / 10)) n;
    INSERT INTO gardens (id, owner_id, name, public, created_at, updated_at)
    SELECT made(2, n), made(1, 1 + n % \(volume.businesses / 10)), 'Garden ' || n, true, now(), now()
    FROM generate_series(1, \(volume.businesses)) n;
    INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at, measured_types)
    SELECT made(3, n), made(2, 1), 'Device', sha256(n::text::bytea), now(), now(),
      ARRAY(SELECT 'type_' || chr(96 + t) FROM generate_series(1, 10) t)
    FROM generate_series(1, \(volume.devices)) n;
    INSERT INTO gardens (id, owner_id, name, created_at, updated_at)
    VALUES (made(2, \(volume.businesses + 1)), made(1, 1), 'Field', now(), now());
    INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at, last_seen_at, silence_due_at)
    SELECT made(6, n), made(2, \(volume.businesses + 1)), 'Device', sha256((-n)::text::bytea), now(), now(), now(),
      now() + interval '110 minutes'
    FROM generate_series(1, 20000) n;
    CREATE TEMP TABLE series ON COMMIT DROP AS
      SELECT id AS device_id, unnest(measured_types) AS sensor_type FROM devices
      WHERE garden_id = made(2, 1) ORDER BY 1, 2;
    INSERT INTO readings_5m SELECT device_id, sensor_type, start, 1, 3, 24, 12
    FROM generate_series(
      date_bin('5 minutes', now(), '2000-01-01Z') - interval '\(volume.fiveMinuteDays) days', now(), '5 minutes') start, series;
    ALTER TABLE readings_1h DISABLE TRIGGER USER;
    INSERT INTO readings_1h SELECT device_id, sensor_type, start, 1, 3, 288, 144
    FROM generate_series(
      date_bin('1 hour', now(), '2000-01-01Z') - interval '\(volume.hourDays) days', now(), '1 hour') start, series;
    ALTER TABLE readings_1h ENABLE TRIGGER USER;
    INSERT INTO readings_1d SELECT device_id, sensor_type, start, 1, 3, 2, 3456
    FROM generate_series(
      date_bin('1 day', now(), '2000-01-01Z') - interval '\(volume.hourDays) days', now(), '1 day') start, series;
    INSERT INTO readings SELECT device_id, sensor_type, at, 20
    FROM generate_series(date_trunc('minute', now()) - interval '20 hours', now(), '5 minutes') at, series;
    INSERT INTO readings_sealed SELECT device_id, sensor_type, start, times, values
    FROM generate_series(
      date_bin('1 day', now(), '2000-01-01Z') - interval '\(volume.fiveMinuteDays) days',
      now() - interval '2 days', '1 day') start, series,
      (SELECT array_agg(m * 60000 + m % 700) AS times, array_agg((m % 50)::float8 / 10) AS values
      FROM generate_series(0, 1439) m) day;
    INSERT INTO businesses (id, owner_id, name, category, description, created_at, updated_at)
    SELECT made(4, n), made(1, 1 + n % \(volume.businesses / 10)), 'Farm ' || n, 'vegetables', 'fresh carrots and eggs', now(), now()
    FROM generate_series(1, \(volume.businesses)) n;
    INSERT INTO orders
      (id, buyer_id, business_id, status, currency, total, created_at, updated_at, paid_at, refunded_at)
    SELECT made(5, n), made(1, CASE WHEN n % 10 = 0 THEN 1 ELSE 3 + n % (\(volume.businesses / 10) - 2) END),
      made(4, CASE WHEN n % 2 = 0 THEN 1 ELSE 1 + n % \(volume.businesses) END), CASE WHEN n % 50 = 0 THEN 'refunded' ELSE 'delivered' END, 'EUR', 1000,
      at, at, at, CASE WHEN n % 50 = 0 THEN at END
    FROM generate_series(1, \(volume.orders)) n,
      LATERAL (SELECT now() - n * interval '1095 days' / \(volume.orders) AS at) x;
    INSERT INTO order_lines (order_id, position, product_id, name, unit, quantity, unit_price, total)
    SELECT id, 0, id, 'Carrots', 'kg', 2, 500, 1000 FROM orders;
    -- Asked for every ten minutes, and told once a day.
    INSERT INTO insights (id, garden_id, type, provider, severity, title, text, evidence, created_at, told, expires_at)
    SELECT overlay(made(7, n)::text placing substr(hex, 1, 8) || '-' || substr(hex, 9) from 1 for 13)::uuid, made(2, 1),
      CASE n % 3 WHEN 0 THEN 'watering' WHEN 1 THEN 'anomaly' ELSE 'summary' END, 'rules', 'info', 'Title', repeat('Text', 20), '{}', at, n % 144 = 0,
      CASE WHEN n % 144 > 0 THEN at + interval '1 year' END
    FROM generate_series(1, \(volume.insights)) n, LATERAL (SELECT now() - n * interval '10 minutes' AS at) x,
      LATERAL (SELECT lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS hex) y;
    INSERT INTO status_spans (started_at, ended_at, status)
    SELECT now() - n * interval '6 minutes', now() - (n - 1) * interval '6 minutes',
      CASE WHEN n % 2 = 0 THEN 'healthy' ELSE 'degraded' END FROM generate_series(1, 20000) n
    ON CONFLICT DO NOTHING;
    """
  }

  /// The blocks that a statement reads by its generic plan or by the plan for `parameters`, whichever are more.
  private func blocks(_ statement: Statement, _ parameters: String...) throws -> Int {
    try blocks(statement, parameters)
  }

  private func blocks(_ statement: Statement, _ parameters: [String]) throws -> Int {
    try Self.loaded.get().withDatabase { database in
      try await database.transaction(timeoutMilliseconds: 120_000) {
        try await Self.blocks(statement, parameters, in: $0)
      }
    }
  }

  private static func blocks(
    _ statement: Statement, _ parameters: [String], in transaction: Transaction
  ) async throws -> Int {
    var most = 0
    for mode in ["force_generic_plan", "force_custom_plan"] {
      try await transaction.script(
        """
        SET LOCAL plan_cache_mode = \(mode);
        PREPARE measured AS \(statement.text);
        """)
      let rows = try await transaction.query(
        SQL(
          unescaped: """
            EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)
            EXECUTE measured(\(parameters.joined(separator: ", ")))
            """))
      let plan = try JSONReader.parse(try rows[0].decode(PostgresJSON.self, 0).bytes).elements?.first?["Plan"]
      let read = try Self.blocks(of: #require(plan))
      if getenv("VOLUME") != nil { print("\(statement.name) \(mode): \(read) blocks") }
      most = max(most, read)
      try await transaction.script("DEALLOCATE measured")
    }
    return most
  }

  /// The blocks that a node of a plan has read with those below it; or those of a node below, if they are more: a node
  /// that changes rows and returns none is not counted in those above it.
  private static func blocks(of part: JSONValue) throws -> Int {
    let read = (part["Shared Hit Blocks"]?.integer ?? 0) + (part["Shared Read Blocks"]?.integer ?? 0)
    return try (part["Plans"]?.elements ?? []).reduce(Int(read)) { try max($0, blocks(of: $1)) }
  }

  private static let device = "'00000003-0000-7000-8000-000000000001'"
  private static let garden = "'00000002-0000-7000-8000-000000000001'"
  private static let user = "'00000001-0000-7000-8000-000000000001'"
  /// The owner of the business with all orders.
  private static let seller = "'00000001-0000-7000-8000-000000000002'"
  private static let last = "'ffffffff-ffff-ffff-ffff-ffffffffffff'"

  @Test(
    "pages of buckets and readings read about what they return, however long the history is",
    arguments: [
      (Resolution.fiveMinutes, "1 day", 1_600), (.hours, "30 days", 1_600), (.days, "1095 days", 1_600),
      (.raw, "365 days", 1_000),
    ])
  func pages(resolution: Resolution, span: String, most: Int) throws {
    let read = try blocks(
      resolution.statement(ofOneType: false), Self.device, "now() - interval '\(span)'", "now()", "''", "1001")
    #expect(read <= most)
    let one = try blocks(
      resolution.statement(ofOneType: true), Self.device, "now() - interval '\(span)'", "now()", "''", "101", "'type_c'"
    )
    #expect(one <= 150)
  }

  @Test(
    "charts of a garden read only the steps that they show",
    arguments: [
      (GardenHistory.fromFiveMinutes, 288, 300), (GardenHistory.fromHours, 168, 3_600),
      (GardenHistory.fromHours, 720, 14_400),
    ])
  func charts(statement: Statement, steps: Int, stepSeconds: Int) throws {
    let seconds = statement === GardenHistory.fromFiveMinutes ? 300 : 3_600
    let read = try blocks(
      statement, Self.garden, "now() - interval '\(steps * seconds) s'", "now()", "0", "\(stepSeconds)")
    let series = Volume.wanted.devices * 10
    #expect(read <= series * (steps + steps / 20 + 20))
  }

  @Test("the latest readings of a garden read a few blocks for each sensor")
  func latest() throws {
    #expect(try blocks(LatestReadings.newest, Self.garden, "5000") <= Volume.wanted.devices * 120)
  }

  @Test("the latest readings of a device read a few blocks for each of its own sensors")
  func latestOfDevice() throws {
    #expect(try blocks(LatestReadings.newestOfDevice, Self.device, "5000") <= 120)
  }

  @Test("a look for silent devices reads only those that are due, however many there are")
  func silences() throws {
    #expect(try blocks(DeviceWatch.due, "now() - interval '1 hour'", "200") <= 60)
  }

  @Test("a page of orders reads about a page, and only an index for a state that no order has")
  func orders() throws {
    for statements in [Orders.bought, Orders.sold, Orders.all] {
      for user in [Self.user, Self.seller] {
        // Each user has ten businesses; and there is a page of orders.
        let most = 110
        #expect(try blocks(statements.ofOne, user, Self.last, "21", "'pending'") <= most)
        #expect(try blocks(statements.ofOne, user, Self.last, "21", "'refunded'") <= most + 30)
        #expect(try blocks(statements.ofAny, user, Self.last, "21") <= most + 60)
      }
    }
  }

  @Test("an export reads the user's own orders, not everybody's")
  func exportedOrders() throws {
    let user = try #require(Identifier("00000001-0000-7000-8000-000000000005"))
    let statement = Statement("export.orders", CommerceFeature.orders(user).sql.text)
    #expect(try blocks(statement, "'\(user)'", "'\(user)'") <= 1_900)
  }

  @Test("a page of the summary of sales reads the index of its year")
  func summary() throws {
    let most = 200 + Volume.wanted.orders / 150
    #expect(try blocks(OrderSummary.byDay, Self.seller, "'-infinity'", "'infinity'") <= most)
  }

  @Test("a search that no business matches reads none of them")
  func search() throws {
    for words in ["'-fresh'", "'absent'"] {
      #expect(try blocks(Businesses.matching, "21", "NULL", Self.last, "NULL", words, "NULL") <= 60)
    }
  }

  @Test("what was said of a garden is found without reading all that was asked for, then or in earlier years")
  func insights() throws {
    let since = "now() - interval '30 days'"
    let first = Identifier.lowest(
      at: Timestamp(unixMilliseconds: Clock.unixMilliseconds() - 30 * Timestamp.millisecondsPerDay))
    let said = [Self.garden, "'watering'", since, "now()", "200", "'\(first)'"]
    #expect(try blocks(Observations.said, said) <= 80)
    #expect(try blocks(InsightRoutes.byType, [Self.garden, Self.last, "21", "'watering'"]) <= 20)
    #expect(try blocks(InsightRoutes.byType, [Self.garden, Self.last, "21", "'frost'"]) <= 10)
  }

  @Test("the status history reads each of its spans for one day and one hour, or for two of them")
  func status() throws {
    #expect(try blocks(StatusRecord.shares, ["'day'", "90", "180"]) <= 2_000)
    #expect(try blocks(StatusRecord.shares, ["'hour'", "48", "180"]) <= 800)
  }

  @Test("rebuilding a bucket reads only that bucket, however many others an import has queued")
  func queue() throws {
    let read = try Self.loaded.get().withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute(
          """
          INSERT INTO rollup_queue (device_id, sensor_type, start)
          SELECT \(unescaped: Self.device), 'type_a', now() - i * interval '1 s' FROM generate_series(1, 50000) i
          """)
        let bucket = [
          "ARRAY[\(Self.device)::uuid]", "ARRAY['type_a']", "ARRAY[date_bin('5 minutes', now(), '2000-01-01Z')]",
        ]
        let read = try await Self.blocks(Rollup.makeAnew, bucket, in: transaction)
        // No rollup has to rebuild these buckets.
        try await transaction.execute("DELETE FROM rollup_queue")
        return read
      }
    }
    #expect(read <= 60)
  }

  @Test("days past their retention are found in a few blocks, even where new rows have taken the place of older ones")
  func pastDays() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (found, none, pages) = try server.withDatabase { database in
      for cycle in 0..<5 {
        try await database.transaction { transaction in
          try await transaction.execute(
            """
            INSERT INTO readings_5m SELECT gen_random_uuid(), s::text, start, 1, 1, 1, 1
            FROM generate_series(1, 30) s, generate_series(
              timestamptz '2026-01-01Z' + 2 * \(cycle) * interval '1 day',
              timestamptz '2026-01-02 23:55Z' + 2 * \(cycle) * interval '1 day', '5 minutes') start
            """)
          try await transaction.execute(
            "DELETE FROM readings_5m WHERE start < timestamptz '2026-01-01Z' + 2 * \(cycle - 2) * interval '1 day'")
        }
        try await database.execute("VACUUM ANALYZE readings_5m")
      }
      return try await database.transaction { transaction in
        let rows = try await transaction.query("SELECT pg_relation_size('readings_5m') / 8192")
        let table = PastDays.Table.buckets
        return (
          try await Self.blocks(table.oldest, ["'2026-01-06Z'"], in: transaction),
          try await Self.blocks(table.delete, ["5000", "'2026-01-05Z'"], in: transaction),
          try rows[0].decode(Int.self, 0)
        )
      }
    }
    #expect(pages >= 300)
    #expect(found <= 30)
    #expect(none <= 30)
  }

  @Test("sealing stores a reading in at most eight bytes, and prints its speed", .enabled(if: getenv("VOLUME") != nil))
  func sealing() throws {
    let server = try LiveServer(["READINGS_SEALING": "off"])
    defer { server.stop() }
    let day = CivilDate(Timestamp(unixMilliseconds: Clock.unixMilliseconds())).advanced(byDays: -5)
    let logger = Logger(LogSink(style: server.configuration.logStyle))
    let (sealing, sensors) = (ReadingsSealing(logger: logger), 1_000)
    var configuration = DatabaseConfiguration(url: server.databaseURL)
    configuration.statementTimeoutMilliseconds = 3_600_000
    let figures = try Database.standalone(configuration, connectSeconds: 30) { database in
      try await database.execute("UPDATE schema_migrations SET applied_at = '2000-01-01Z'")
      try await database.transaction(timeoutMilliseconds: 0) { transaction in
        try await ReadingPartitions(retention: Retention(days: 30), logger: logger).make([day], transaction)
        // Every minute, up to 700 ms late, a slow wave in tenths.
        try await transaction.execute(
          """
          INSERT INTO readings
          SELECT s.id, 'soil_moisture', \(day.start) + minute * interval '1 minute' + jitter * interval '1 ms',
            round((20 + 8 * sin(minute / 200.0 + sensor) + noise)::numeric, 1)
          FROM (SELECT sensor, gen_random_uuid() AS id FROM generate_series(1, \(sensors)) sensor) s,
            LATERAL (SELECT minute, floor(random() * 700) AS jitter, random() * 0.4 AS noise
            FROM generate_series(0, 1439) minute WHERE sensor > 0) r
          """)
      }
      let bytes: SQL = "SELECT pg_total_relation_size(\("readings_sealed")::regclass)"
      let open: SQL = """
        SELECT pg_total_relation_size(\(ReadingPartitions.table(of: day))::regclass)
        """
      let before = try await database.query(open)[0].decode(Int64.self, 0)
      let began = Clock.monotonic()
      func isMore() async throws -> Bool {
        do {
          return try await database.transaction(timeoutMilliseconds: 0) { try await sealing.run($0) }
        } catch let error as PostgresError where error.isLockTimeout {
          // Another session reads the day that is to be dropped: the duty would try again later, too.
          await database.loop.sleep(nanoseconds: 1_000_000_000)
          return true
        }
      }
      while try await isMore() {
        await sealing.duty.onCommit()
      }
      let nanoseconds = Clock.monotonic() - began
      return (before, try await database.query(bytes)[0].decode(Int64.self, 0), nanoseconds)
    }
    let readings = Double(sensors * 1_440)
    let (before, after) = (Double(figures.0) / readings, Double(figures.1) / readings)
    print(
      "a reading takes \(before) bytes, sealed \(after); \(Int(readings / Double(figures.2) * 1e9)) are sealed a second"
    )
    #expect(after <= 8)
  }
}
