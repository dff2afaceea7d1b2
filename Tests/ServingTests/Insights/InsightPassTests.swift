import Glibc
import Postgres
import Reactor
import Testing
import Values

@Suite("The pass over gardens")
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
    // Some more passes say nothing new, and that there will be no frost is none.
    #expect(try holds(within: 60) { try server.passes() >= 4 })
    let items = try client.get(path).json["items"]?.elements
    #expect(items?.map { $0["title"]?.text } == ["Water now: North bed"])
    #expect(items?.first?["provider"]?.text == "rules")
  }

  @Test("holds up nobody who changes a garden that it is looking at")
  func change() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let answers = try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute("LOCK TABLE readings IN ACCESS EXCLUSIVE MODE")
        // The pass waits for the readings, in the midst of its look.
        let waits = try await Self.waits(for: "readings", transaction)
        let garden = try client.patch("/api/gardens/\(plot.garden)", #"{"name":"Renamed"}"#)
        // The rollup holds devices against their end.
        try await transaction.execute("SELECT 1 FROM devices WHERE id = \(plot.device) FOR KEY SHARE")
        let device = try client.patch("/api/devices/\(plot.device)", #"{"name":"Renamed"}"#)
        return (waits, garden.status, device.status)
      }
    }
    #expect(answers == (true, 200, 200))
  }

  /// Waits until somebody waits for a table; whether somebody does.
  private static func waits(for table: String, _ transaction: Transaction) async throws -> Bool {
    for _ in 0..<600 {
      let rows = try await transaction.query(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = \(table)::text::regclass")
      if try rows[0].decode(Int.self, 0) > 0 { return true }
      usleep(50_000)
    }
    return false
  }

  @Test("looks at a garden although the one before cannot be judged, and counts the failure")
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
    for plot in [bad, good] { try plot.record("soil_moisture", [(0.01, 12), (0.02, 12), (0.03, 12)]) }
    let path = "/api/gardens/\(good.garden)/insights"
    #expect(try holds(within: 60) { try client.get(path).json["items"]?.elements?.isEmpty == false })
    #expect(try client.get("/api/gardens/\(bad.garden)/insights").json["items"]?.elements?.isEmpty == true)
    #expect(try server.passes("failed") > 0)
    #expect(server.log.lines.contains { $0.contains("could not be looked at") && $0.contains("\(bad.garden)") })
  }

  @Test("makes insights of what is left of readings that hold values which no sum could hold")
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

  @Test("misses no device that was heard of just before the pass began")
  func justHeard() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let device = try TestDevice(server)
    // What a first pass takes to be new goes further back.
    #expect(try holds(within: 60) { try server.passes() > 0 })
    let now = Clock.unixMilliseconds()
    let samples = [60, 50, 40].map { Sample(value: 12, at: Timestamp(unixMilliseconds: now - $0 * 1_000)) }
    #expect(try device.post(device.client, samples).receipt == [3, 0])
    let path = "/api/gardens/\(device.garden)/insights"
    #expect(try holds(within: 20) { try device.owner.get(path).json["items"]?.elements?.isEmpty == false })
  }
}

extension LiveServer {
  /// How often the pass has run on this server.
  func passes(_ result: String = "done") throws -> Int {
    let text = try Wire(port: port).get("/metrics").text
    let line = text.split(separator: "\n").first {
      $0.contains("duty=\"insights\"") && $0.contains("result=\"\(result)\"") && !$0.hasPrefix("#")
    }
    return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
  }
}
