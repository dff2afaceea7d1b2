import Postgres
import Reactor
import Testing
import Values

@Suite("A replica", .blocking)
struct ReplicaTests {
  @Test("serves the history of readings except what was just stored, and the primary does while it is away")
  func history() throws {
    // The replica is another database of the same server: it has all of the log, and none of the readings, which shows
    // where a query went.
    let replica = try LiveServer()
    defer { replica.stop() }
    let primary = try LiveServer(["DATABASE_REPLICA_URL": replica.databaseURL])
    defer { primary.stop() }
    let away = try primary.replica(["DATABASE_REPLICA_URL": "postgresql://nobody@127.0.0.1:1/none"])
    defer { away.stop() }
    let (client, owner) = try primary.signedIn()
    let plot = try Plot(primary, owner: owner)
    try plot.record("soil_moisture", [(hoursAgo: 1, value: 30)])
    let path = "/api/devices/\(plot.device)/readings"
    func count(_ client: Client) throws -> Int? { try client.get(path).json["items"]?.elements?.count }

    #expect(try holds(within: 20) { try count(client) == 0 })
    #expect(try count(Client(away, token: client.token)) == 1)
    let key = try #require(try client.post("/api/devices/\(plot.device)/key", "").json["key"]?.text)
    let body = #"{"readings":[{"sensorType":"soil_moisture","value":31,"measuredAt":"\#(Timestamp.recent)"}]}"#
    #expect(try Client(away, token: key).post(path, body).status == 200)
    // For every connection, on either loop.
    for reader in primary.clients(6, token: client.token) { #expect(try count(reader) == 2) }
    #expect(try holds(within: 20) { try count(client) == 0 })
    // Below a second, except for moments in which a busy machine measures late.
    #expect(try holds { try Client(primary).get("/metrics").text.contains("\ndatabase_replica_lag_seconds 0.") })
  }

  @Test("is read again after a takeover, although the primary before had written more than the new one has")
  func takeover() throws {
    let (replica, url) = (try TestDatabase.makeMigrated(), try TestDatabase.makeMigrated())
    func run(_ script: String) throws {
      try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 60) { database in
        try await database.transaction { transaction in try await transaction.script(script) }
      }
    }
    // How far the log is written is asked of a function of this database, which is ahead as long as the table says so.
    try run(
      """
      CREATE TABLE ahead (bytes numeric);
      INSERT INTO ahead VALUES (1e12);
      CREATE FUNCTION public.pg_current_wal_insert_lsn() RETURNS pg_lsn LANGUAGE sql STABLE AS
        $$ SELECT pg_catalog.pg_current_wal_insert_lsn() + bytes FROM public.ahead $$;
      DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
      END $$;
      """)
    let primary = try LiveServer(["DATABASE_URL": url, "DATABASE_REPLICA_URL": replica])
    defer { primary.stop() }
    let (client, owner) = try primary.signedIn()
    let plot = try Plot(primary, owner: owner)
    try plot.record("soil_moisture", [(hoursAgo: 1, value: 30)])
    let path = "/api/devices/\(plot.device)/readings"
    func count() throws -> Int? { try client.get(path).json["items"]?.elements?.count }
    let lag = "\ndatabase_replica_lag_seconds "
    #expect(try holds(within: 20) { try !Client(primary).get("/metrics").text.contains(lag + "0.") })
    for _ in 0..<5 { #expect(try count() == 1) }
    try run("UPDATE ahead SET bytes = 0")
    #expect(try holds(within: 20) { try count() == 0 })
    #expect(try holds(within: 20) { try Client(primary).get("/metrics").text.contains(lag + "0.") })
  }

  @Test("that cancels a read, since it stands in the way of what is replayed, leaves it to the primary")
  func conflict() throws {
    let replica = try TestDatabase.makeMigrated()
    let primary = try LiveServer(["DATABASE_REPLICA_URL": replica])
    defer { primary.stop() }
    let (client, owner) = try primary.signedIn()
    let plot = try Plot(primary, owner: owner)
    try plot.record("soil_moisture", [(hoursAgo: 1, value: 30)])
    let path = "/api/devices/\(plot.device)/readings?sensorType=soil_moisture"
    func count() throws -> Int? { try client.get(path).json["items"]?.elements?.count }
    #expect(try holds(within: 20) { try count() == 0 })
    try Database.standalone(DatabaseConfiguration(url: replica), connectSeconds: 60) { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE FUNCTION cancelled()
            RETURNS TABLE (device_id uuid, sensor_type text, measured_at timestamptz, value float8) LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'canceling statement due to conflict with recovery' USING ERRCODE = '40001'; END $$;
          ALTER TABLE readings_late RENAME TO readings_late_before;
          CREATE VIEW readings_late AS SELECT * FROM cancelled();
          """)
      }
    }
    for _ in 0..<20 { #expect(try count() == 1) }
  }
}

extension Timestamp {
  /// A minute ago.
  fileprivate static var recent: Timestamp {
    Timestamp(unixMilliseconds: Clock.unixMilliseconds() - 60_000)
  }
}
