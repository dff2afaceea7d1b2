import Agronomy
import Glibc
import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Insights

@Suite("Insights", .blocking)
struct InsightsTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("are made by the rules, with the numbers they rest on, and read again")
  func create() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", (0..<12).map { (Double($0), 18 + Double($0) / 4) })
    let path = "/api/gardens/\(plot.garden)/insights"
    let reply = try client.post(path, #"{"type":"watering"}"#)
    #expect(reply.status == 201)
    let insight = try reply.json
    #expect(insight["gardenId"]?.text == "\(plot.garden)")
    #expect(insight["type"]?.text == "watering")
    #expect(insight["provider"]?.text == "rules")
    #expect(insight["severity"]?.text == "warning")
    #expect(insight["title"]?.text == "Water now: North bed")
    let probe = insight["evidence"]?["probes"]?.elements?.first
    #expect(probe?["deviceId"]?.text == "\(plot.device)")
    #expect(probe?["slopePerHour"]?.number == -0.25)
    #expect(reply.header("location") == "\(path)/\(try #require(insight["id"]?.text))")
    let again = try client.get(try #require(reply.header("location")))
    #expect(again.status == 200)
    #expect(again.body == reply.body)
  }

  @Test("show times of a device in its own zone, or else in its garden's")
  func zones() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    // Enough hours for the whole last night, which the insight needs in the morning.
    try plot.record("air_temperature", (0..<32).map { (Double($0), 15) })
    func text() throws -> String {
      try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"frost"}"#).json["text"]?.text ?? ""
    }
    #expect(try text().contains(" UTC."))
    #expect(try client.patch("/api/gardens/\(plot.garden)", #"{"timeZone":"Europe/Paris"}"#).status == 200)
    #expect(try text().contains(" (Europe/Paris)."))
    #expect(try client.patch("/api/devices/\(plot.device)", #"{"timeZone":"Asia/Tokyo"}"#).status == 200)
    #expect(try text().contains(" (Asia/Tokyo)."))
  }

  @Test("find no change in a week of days that were all the same, at whatever hour they are asked for")
  func week() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record(
      "light", stride(from: 0.25, to: 168, by: 0.5).map { ($0, 10_000 + 10_000 * sin(2 * .pi * $0 / 24)) })
    let insight = try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"summary"}"#).json
    #expect(insight["evidence"]?["sensors"]?.elements?.first?["change"]?.number == 0)
    #expect(insight["text"]?.text?.hasSuffix(" lux on average.") == true)
  }

  @Test("are sent to those who watch the garden")
  func events() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0, 50)])
    let stream = try EventStream(server, "\(plot.garden)", token: client.token)
    let reply = try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"watering"}"#)
    let event = try #require(try stream.next())
    #expect(event.name == "insight")
    #expect(event.data == reply.text)
  }

  @Test("look first at the devices that were heard of most recently, and say how many they left out")
  func manyDevices() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0, 12), (1, 12)])
    let path = "/api/gardens/\(plot.garden)/insights"
    /// Adds `count` devices that were made `madeHoursAgo` and last heard of `seenHoursAgo`, or never if that is nil.
    func add(_ count: Int, madeHoursAgo: Double, seenHoursAgo: Double?) throws {
      let now = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
      let made = now.advanced(byHours: -madeHoursAgo)
      let seenAt = seenHoursAgo.map { "\(now.advanced(byHours: -$0))" as SQL } ?? "NULL"
      let ids = (0..<count).map { _ in Identifier.make(unixMilliseconds: made.unixMilliseconds) }
      try server.withDatabase { database in
        try await database.execute(
          """
          INSERT INTO devices (id, garden_id, name, key_hash, last_seen_at, created_at, updated_at)
          SELECT d, \(plot.garden), 'Other', sha256(d::text::bytea), \(seenAt), \(made), \(made) FROM unnest(\(ids)) d
          """)
      }
    }
    func look(leftOut: Int?, _ text: String) throws {
      let insight = try client.post(path, #"{"type":"watering"}"#).json
      #expect(insight["title"]?.text == "Water now: North bed")
      #expect(insight["text"]?.text?.hasSuffix(text) == true)
      #expect(insight["evidence"]?["devicesLeftOut"]?.number == leftOut.map(Double.init))
    }
    try add(Observations.maximumDevices - 1, madeHoursAgo: 9_000, seenHoursAgo: nil)
    try look(leftOut: nil, "and less is dry.")
    try add(1, madeHoursAgo: 9_000, seenHoursAgo: 30)
    try look(leftOut: 1, "and less is dry. One more device was not looked at.")
    // Many devices that were heard of a moment later do not change which ones are looked at.
    try add(Observations.maximumDevices, madeHoursAgo: -1, seenHoursAgo: 0)
    try look(
      leftOut: Observations.maximumDevices + 1,
      "and less is dry. \(Observations.maximumDevices + 1) more devices were not looked at.")
  }

  @Test("leave connections to others, however many a user asks for at a time")
  func connections() throws {
    let server = try LiveServer(["WORKERS": "1", "DATABASE_TRANSACTION_CONNECTIONS": "4"])
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let (other, _) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0, 50)])
    let (token, body) = (try #require(client.token), #"{"type":"watering"}"#)
    func ask() throws -> Wire {
      let wire = try Wire(port: server.port)
      try wire.send(
        """
        POST /api/gardens/\(plot.garden)/insights HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r\n\
        Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
        """)
      return wire
    }
    let hold = try server.holdTable("readings")
    defer { hold.release() }
    let wires = try (0..<8).map { _ in try ask() }
    let isReading = try holds(within: 30) {
      try server.withDatabase { database in
        try await database.query(
          """
          SELECT FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%date_bin%'
          """
        ).count > 0
      }
    }
    #expect(isReading)
    #expect(try other.post("/api/gardens", #"{"name":"Neighbour"}"#).status == 201)
    hold.release()
    for wire in wires { #expect(try wire.receive().status == 201) }
  }

  @Test("are of four types", arguments: InsightType.allCases)
  func types(type: InsightType) throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let course: [(hoursAgo: Double, value: Double)] = (0..<120).map { hour in (Double(hour), Double(50 + hour % 24)) }
    for sensor in ["soil_moisture", "air_temperature", "air_humidity", "x_unknown"] { try plot.record(sensor, course) }
    let reply = try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"\#(type)","provider":"rules"}"#)
    #expect(reply.status == 201)
    let insight = try reply.json
    #expect(insight["type"]?.text == type.rawValue)
    let evidence = insight["evidence"]
    if type == .anomaly {
      #expect(evidence?["sensors"]?.number == 4)
      #expect(insight["severity"]?.text == "info")
    }
    if type == .summary { #expect(evidence?["readings"]?.number == 480) }
  }

  @Test("need data", arguments: InsightType.allCases)
  func noData(type: InsightType) throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let reply = try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"\#(type)"}"#)
    #expect(reply.status == 409)
    #expect(reply.problem == "no-data")
  }

  @Test("are listed newest first, page by page, also of one type")
  func listing() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0, 50), (1, 50)])
    let path = "/api/gardens/\(plot.garden)/insights"
    for type in ["watering", "summary", "watering"] {
      #expect(try client.post(path, #"{"type":"\#(type)"}"#).status == 201)
    }
    let page = try client.get("\(path)?limit=2")
    #expect(try page.json["items"]?.elements?.map { $0["type"]?.text } == ["watering", "summary"])
    let cursor = try #require(try page.json["nextCursor"]?.text)
    #expect(try client.get("\(path)?limit=2&cursor=\(cursor)").json["items"]?.elements?.count == 1)
    #expect(try client.get("\(path)?type=summary").json["items"]?.elements?.count == 1)
    #expect(try client.get("\(path)?type=summary&cursor=\(cursor)").problem == "invalid-cursor")
    #expect(try client.get("\(path)?type=weather").status == 400)
    let tag = try #require(page.header("etag"))
    #expect(try client.get("\(path)?limit=2", headers: ["If-None-Match: \(tag)"]).status == 304)
  }

  @Test("that were asked for expire after a year, and those without an expiry stay")
  func expiry() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0, 50)])
    let path = "/api/gardens/\(plot.garden)/insights"
    for _ in 0..<2 { #expect(try client.post(path, #"{"type":"watering"}"#).status == 201) }
    func days(since moment: SQL) throws -> [Int32?] {
      try server.withDatabase { database in
        try await database.query(
          """
          SELECT round(extract(epoch FROM expires_at - \(moment)) / 86400)::int4 FROM insights
          WHERE garden_id = \(plot.garden) ORDER BY id
          """
        ).map { try $0.decode(Int32?.self, 0) }
      }
    }
    #expect(try days(since: "created_at") == [365, 365])
    let older = TestDevice.newIdentifier()
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute(
          """
          INSERT INTO insights (id, garden_id, type, provider, severity, title, text, evidence, created_at, told)
          SELECT \(older), garden_id, type, provider, severity, title, text, evidence, now() - interval '3 years', false
          FROM insights WHERE garden_id = \(plot.garden) LIMIT 1
          """)
        try await transaction.execute(
          """
          UPDATE insights SET expires_at = now() - interval '1 second'
          WHERE id = (SELECT min(id::text)::uuid FROM insights WHERE garden_id = \(plot.garden))
          """)
        #expect(try await InsightFeature.expiry.duty.run(transaction) == false)
      }
    }
    #expect(try days(since: "now()") == [365, nil])
  }

  @Test("are closed to strangers, also those of a public garden")
  func ownership() throws {
    let (client, id) = try server.signedIn()
    let (stranger, _) = try server.signedIn()
    for (isPublic, status) in [(false, 404), (true, 403)] {
      let plot = try Plot(server, owner: id, isPublic: isPublic)
      try plot.record("soil_moisture", [(0, 50)])
      let path = "/api/gardens/\(plot.garden)/insights"
      let place = try #require(try client.post(path, #"{"type":"watering"}"#).header("location"))
      #expect(try stranger.post(path, #"{"type":"watering"}"#).status == status)
      #expect(try stranger.get(path).status == status)
      #expect(try stranger.get(place).status == status)
      #expect(try Client(server).get(path).status == 401)
      #expect(try Client(server).post(path, #"{"type":"watering"}"#).status == 401)
    }
    #expect(try client.get("/api/gardens/\(id)/insights").status == 404)
    #expect(try client.get("/api/gardens/nonsense/insights").status == 404)
    let plot = try Plot(server, owner: id)
    #expect(try client.get("/api/gardens/\(plot.garden)/insights/\(id)").status == 404)
  }

  @Test("refuse unknown types, members, providers and methods")
  func refusals() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let path = "/api/gardens/\(plot.garden)/insights"
    #expect(try client.post(path, #"{}"#).pointers == ["/type"])
    #expect(try client.post(path, #"{"type":"weather","provider":"oracle","x":1}"#).pointers.count == 3)
    for provider in ["openai", "anthropic"] {
      let reply = try client.post(path, #"{"type":"watering","provider":"\#(provider)"}"#)
      #expect(reply.status == 422)
      #expect(reply.problem == "provider-not-configured")
    }
    #expect(try client.delete(path).status == 405)
  }
}
