import Glibc
import Postgres
import Reactor
import Testing
import Values

@Suite("The pass over gardens", .blocking)
struct InsightPassTests {
  @Test("warns of what is new, once, whichever replica looks")
  func once() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let replica = try server.replica(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { replica.stop() }
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let path = "/api/gardens/\(plot.garden)/insights"
    try plot.record("soil_moisture", [(0, 12), (1, 12)])
    try plot.record("air_temperature", [(0, 15), (0.5, 15), (1, 15)])
    #expect(try holds(within: 60) { try client.get(path).json["items"]?.elements?.isEmpty == false })
    // Further passes make no new insight, and none is made of the absence of frost.
    #expect(try holds(within: 60) { try server.passes() >= 4 })
    let items = try client.get(path).json["items"]?.elements
    #expect(items?.map { $0["title"]?.text } == ["Water now: North bed"])
    #expect(items?.first?["provider"]?.text == "rules")
  }

  @Test("tells once what somebody has asked for before, and does not repeat what the previous release has made")
  func asked() throws {
    let receiver = try ModelServer()
    receiver.script(Array(repeating: .json(200, "{}"), count: 20))
    let settings = ["NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8"]
    let server = try LiveServer(settings.merging(["INSIGHTS_INTERVAL_SECONDS": "0"]) { $1 })
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let hook = "http://127.0.0.1:\(receiver.port)/hook"
    let channel = try client.post("/api/channels", #"{"kind":"webhook","target":"\#(hook)","events":["insight"]}"#)
    #expect(channel.status == 201)
    let plots = try (0..<2).map { _ in try Plot(server, owner: id) }
    for plot in plots {
      try plot.record("soil_moisture", [(0, 12), (1, 12)])
      let asked = try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"watering"}"#)
      #expect(try asked.json["title"]?.text == "Water now: North bed")
    }
    let before = plots[1].garden
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO insights (id, garden_id, type, provider, severity, title, text, evidence, created_at)
        SELECT gen_random_uuid(), garden_id, type, provider, severity, title, text, evidence, created_at FROM insights
        WHERE garden_id = \(before)
        """)
    }
    let replica = try server.replica(settings.merging(["INSIGHTS_INTERVAL_SECONDS": "1"]) { $1 })
    defer { replica.stop() }
    #expect(try holds(within: 60) { try replica.passes() >= 4 })
    for plot in plots {
      #expect(try client.get("/api/gardens/\(plot.garden)/insights").json["items"]?.elements?.count == 2)
    }
    #expect(holds { receiver.received.count == 1 })
    #expect(try receiver.received.first?.json["data"]?["gardenId"]?.text == "\(plots[0].garden)")
  }

  @Test("does not repeat what a replica whose clock is ahead has just told")
  func ahead() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "0"])
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0, 12), (1, 12)])
    let path = "/api/gardens/\(plot.garden)/insights"
    #expect(try client.post(path, #"{"type":"watering"}"#).status == 201)
    try server.withDatabase { database in
      try await database.execute("UPDATE insights SET told = true, created_at = now() + interval '50 seconds'")
    }
    let replica = try server.replica(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { replica.stop() }
    #expect(try holds(within: 60) { try replica.passes() >= 4 })
    #expect(try client.get(path).json["items"]?.elements?.count == 1)
  }

  @Test("does not block changes to a garden that it is looking at")
  func change() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let answers = try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute("LOCK TABLE readings IN ACCESS EXCLUSIVE MODE")
        // The pass waits for the readings in the middle of its look.
        let waits = try await Self.waits(for: "readings", transaction)
        let garden = try client.patch("/api/gardens/\(plot.garden)", #"{"name":"Renamed"}"#)
        // As the rollup locks devices against their deletion.
        try await transaction.execute("SELECT 1 FROM devices WHERE id = \(plot.device) FOR KEY SHARE")
        let device = try client.patch("/api/devices/\(plot.device)", #"{"name":"Renamed"}"#)
        return (waits, garden.status, device.status)
      }
    }
    #expect(answers == (true, 200, 200))
  }

  /// Waits until a session waits for `table`; returns false if none does within half a minute.
  private static func waits(for table: String, _ transaction: Transaction) async throws -> Bool {
    for _ in 0..<600 {
      let rows = try await transaction.query(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = \(table)::text::regclass")
      if try rows[0].decode(Int.self, 0) > 0 { return true }
      usleep(50_000)
    }
    return false
  }

  @Test("looks at a garden although the one before it fails, and counts the failure")
  func neighbour() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let bad = try Plot(server, owner: id)
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
          CREATE TRIGGER refuse BEFORE INSERT ON insights FOR EACH ROW WHEN (NEW.garden_id = '\(bad.garden)')
          EXECUTE FUNCTION refuse();
          """)
      }
    }
    let good = try Plot(server, owner: id)
    for plot in [bad, good] { try plot.record("soil_moisture", [(0.01, 12), (0.3, 12), (0.6, 12)]) }
    let path = "/api/gardens/\(good.garden)/insights"
    #expect(try holds(within: 60) { try client.get(path).json["items"]?.elements?.isEmpty == false })
    #expect(try client.get("/api/gardens/\(bad.garden)/insights").json["items"]?.elements?.isEmpty == true)
    #expect(try server.passes("failed") > 0)
    #expect(server.log.lines.contains { $0.contains("Cannot make a garden") && $0.contains("\(bad.garden)") })
  }

  @Test(
    "looks once more at a garden during which its connection was lost, and no more often",
    arguments: [false, true])
  func lostConnection(isAlways: Bool) throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let plots = try (0..<2).map { _ in try Plot(server, owner: id) }
    for plot in plots { try plot.record("soil_moisture", [(0.6, 12), (0.8, 12), (1, 12)]) }
    // The pass comes to the garden with the lower id first.
    let gardens = plots.map(\.garden).sorted()
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE SEQUENCE looks;
          CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('looks') = 1 OR \(isAlways) THEN
              PERFORM pg_terminate_backend(pg_backend_pid());
              PERFORM pg_sleep(60);
            END IF;
            RETURN NEW;
          END $$;
          CREATE TRIGGER lose BEFORE INSERT ON insights FOR EACH ROW WHEN (NEW.garden_id = '\(gardens[0])')
          EXECUTE FUNCTION lose();
          -- Only a first pass looks so far back.
          UPDATE devices SET last_seen_at = now() - interval '30 minutes';
          """)
      }
    }
    let replica = try server.replica(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { replica.stop() }
    func isTold(_ garden: Identifier) throws -> Bool {
      let items = try client.get("/api/gardens/\(garden)/insights").json["items"]?.elements ?? []
      return items.contains { $0["title"]?.text == "Water now: North bed" }
    }
    #expect(try holds { try isTold(gardens[1]) })
    #expect(try isTold(gardens[0]) != isAlways)
    #expect(try replica.passes("failed") == (isAlways ? 2 : 1))
  }

  @Test("looks at all gardens although Postgres no longer knows the time zones of one")
  func unknownZone() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let plots = try (0..<2).map { _ in try Plot(server, owner: id) }
    let garden = plots[0].garden
    try server.withDatabase { database in
      try await database.execute("ALTER TABLE gardens DROP CONSTRAINT gardens_time_zone_known")
      try await database.execute("UPDATE gardens SET time_zone = 'Europe/Atlantis' WHERE id = \(garden)")
      try await database.execute("UPDATE devices SET time_zone = 'Europe/Atlantis' WHERE garden_id = \(garden)")
    }
    for plot in plots { try plot.record("soil_moisture", [(0.01, 12), (0.3, 12), (0.6, 12)]) }
    for plot in plots {
      let path = "/api/gardens/\(plot.garden)/insights"
      #expect(try holds(within: 60) { try client.get(path).json["items"]?.elements?.isEmpty == false })
    }
  }

  @Test("makes insights of the other readings where some have values too large to add up")
  func hugeValues() throws {
    let server = try LiveServer.shared.get()
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0.01, 12), (0.02, 12), (0.03, 12)])
    try plot.record("custom", [(0.01, 1.7e308), (0.011, 1.7e308)])
    for type in ["watering", "summary"] {
      #expect(try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"\#(type)"}"#).status == 201)
    }
  }

  @Test("looks at all readings of twenty probes with ten sensors each")
  func large() throws {
    let server = try LiveServer.shared.get()
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let garden = plot.garden
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO devices (id, garden_id, name, key_hash, last_seen_at, created_at, updated_at, measured_types)
        SELECT gen_random_uuid(), \(garden), 'Probe ' || n, sha256(gen_random_uuid()::text::bytea), now(), now(), now(),
          '{soil_temperature,soil_moisture,air_temperature,air_humidity,pressure,battery,ph,ec,a_sensor,z_sensor}'::text[]
        FROM generate_series(1, 20) n
        """)
      // Early in a day, 26 hours reach into the day before yesterday.
      try await database.execute("SELECT readings_partition_make((now() - interval '2 days')::date)")
      // Every five minutes for more than a day: more points than there ever was room for.
      try await database.execute(
        """
        INSERT INTO readings (device_id, sensor_type, measured_at, value)
        SELECT d.id, t, now() - m * interval '5 minutes', 20 + (m % 7) * 0.01 + CASE
          WHEN d.name = 'Probe 19' AND t = 'soil_temperature' AND m = 3 THEN 30 ELSE 0 END
        FROM devices d, generate_series(0, 312) m, unnest('{soil_temperature,soil_moisture,air_temperature,air_humidity,
          pressure,battery,ph,ec,a_sensor,z_sensor}'::text[]) t
        WHERE d.garden_id = \(garden) AND d.name LIKE 'Probe%'
        """)
    }
    let insight = try client.post("/api/gardens/\(garden)/insights", #"{"type":"anomaly"}"#).json
    #expect(insight["title"]?.text == "Unusual: soil_temperature of Probe 19")
    #expect(insight["evidence"]?["sensors"]?.number == 200)
    #expect(insight["evidence"]?["silent"]?.elements?.isEmpty == true)
  }

  @Test("judges a device's silence by its own cadence")
  func silence() throws {
    let server = try LiveServer.shared.get()
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id, device: "Quarterly")
    let (garden, device) = (plot.garden, plot.device)
    let path = "/api/gardens/\(garden)"
    /// Makes the device silent for `minutes` by now, where its usual silence takes `seconds`.
    func silent(minutes: Int, usually seconds: Int) throws {
      try server.withDatabase { database in
        try await database.execute(
          """
          UPDATE devices SET silences = array_fill(\(seconds)::integer, '{7}'),
            last_seen_at = now() - \(minutes) * interval '1 minute' WHERE id = \(device)
          """)
      }
    }
    func title() throws -> String? {
      try client.post("\(path)/insights", #"{"type":"anomaly"}"#).json["title"]?.text
    }
    try plot.record("soil_moisture", [(0.5, 40), (0.3, 40)])
    try silent(minutes: 40, usually: 900)
    #expect(try client.get("/api/devices/\(device)").json["online"]?.bool == true)
    #expect(try title() == "Nothing unusual")
    try silent(minutes: 40, usually: 600)
    #expect(try client.get("/api/devices/\(device)").json["online"]?.bool == false)
    #expect(try title() == "Silent: Quarterly")
  }

  @Test("takes a device for silent only once a server has listened for as long, unless it was silent before")
  func outage() throws {
    let before = try LiveServer()
    let (client, id) = try before.signedIn()
    let plots = try ["North bed", "South bed"].map { try Plot(before, owner: id, device: $0) }
    for plot in plots { try plot.record("soil_moisture", [(0.7, 40), (0.8, 40)]) }
    before.stop()
    let silent = plots[1].device
    try before.withDatabase { database in
      try await database.execute("UPDATE devices SET last_seen_at = now() - interval '40 minutes'")
      try await database.execute(
        """
        UPDATE devices SET last_seen_at = now() - interval '50 minutes', silence_told_at = now() - interval '41 minutes'
        WHERE id = \(silent)
        """)
      try await database.execute("UPDATE device_watch SET checked_at = now() - interval '40 minutes'")
    }
    let server = try before.replica(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let owner = Client(server, token: client.token)
    func told(_ plot: Plot) throws -> [String?]? {
      try owner.get("/api/gardens/\(plot.garden)/insights").json["items"]?.elements?.map { $0["title"]?.text }
    }
    #expect(try holds(within: 60) { try server.passes() >= 4 })
    #expect(try plots.map(told) == [[], ["Silent: South bed"]])
    // As if the server had listened for a quarter of an hour.
    try server.withDatabase { try await $0.execute("UPDATE device_watch SET since = now() - interval '15 minutes'") }
    #expect(try holds(within: 60) { try told(plots[0]) == ["Silent: North bed"] })
    #expect(try told(plots[1]) == ["Silent: South bed"])
  }

  @Test("reports a sensor that has stopped although its device goes on")
  func ended() throws {
    let server = try LiveServer.shared.get()
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id, device: "Node")
    try plot.record("air_temperature", [(0.3, 12), (0.2, 12.5), (0.1, 13)])
    let device = plot.device
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
        SELECT \(device), 'soil_moisture', date_trunc('hour', now()) - h * interval '1 hour', 30, 31, 61, 2
        FROM generate_series(12, 60) h
        """)
      try await database.execute(
        "UPDATE devices SET measured_types = array_append(measured_types, 'soil_moisture') WHERE id = \(device)")
    }
    let insight = try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"anomaly"}"#).json
    #expect(insight["title"]?.text == "Unusual: soil_moisture of Node")
    #expect(insight["evidence"]?["faults"]?.elements?.map { $0["kind"]?.text } == ["missing"])
  }

  @Test("does not miss a device that was heard of just before the pass began")
  func justHeard() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let device = try TestDevice(server)
    // Waits for a first pass, which looks further back for new readings.
    #expect(try holds(within: 60) { try server.passes() > 0 })
    let now = Clock.unixMilliseconds()
    let samples = [1_200, 600, 40].map { Sample(value: 12, at: Timestamp(unixMilliseconds: now - $0 * 1_000)) }
    #expect(try device.post(device.client, samples).receipt == [3, 0])
    let path = "/api/gardens/\(device.garden)/insights"
    #expect(try holds(within: 20) { try device.owner.get(path).json["items"]?.elements?.isEmpty == false })
  }
}

extension LiveServer {
  /// How often the pass has run on this server with `result`.
  func passes(_ result: String = "done") throws -> Int {
    try metric(#"housekeeping_runs_total{duty="insights",result="\#(result)"}"#)
  }
}
