import Reactor
import Testing
import Values

@testable import Gardens

@Suite("Devices", .blocking)
struct DevicesTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private func owner() throws -> Client { try server.signedIn().client }

  /// Whether a key is good: with any other the request is refused.
  private func works(_ key: String) throws -> Bool {
    let reply = try Client(server, token: key).get("/api/gardens")
    #expect(reply.status == 200 || reply.status == 401)
    return reply.status == 200
  }

  /// Whether a key is refused once no loop remembers it as a good one.
  private func ends(_ key: String) throws -> Bool { try holds { try !works(key) } }

  @Test("are made with a key that is shown once")
  func creation() throws {
    let client = try owner()
    let garden = try client.makeGarden()
    let reply = try client.post(
      "/api/gardens/\(garden)/devices", #"{"name":"Probe","sensorTypes":["soil_moisture","ph"]}"#)
    #expect(reply.status == 201)
    #expect(reply.header("cache-control") == "no-store")
    let device = try reply.json
    let id = try #require(device["id"]?.text)
    #expect(reply.header("location") == "/api/devices/\(id)")
    #expect(device["gardenId"]?.text == garden)
    #expect(device["sensorTypes"]?.elements?.compactMap(\.text) == ["soil_moisture", "ph"])
    #expect(device["lastSeenAt"] == .null)
    #expect(device["online"]?.bool == false)
    let key = try #require(device["key"]?.text)
    #expect(key.hasPrefix("tdk_"))
    #expect(try works(key))
    for shown in [try client.get("/api/devices/\(id)"), try client.get("/api/gardens/\(garden)/devices")] {
      #expect(shown.status == 200 && !shown.text.contains("tdk_") && !shown.text.contains("\"key"))
    }
  }

  @Test(
    "are refused with all their faults at once",
    arguments: [
      (#"{}"#, ["/name"]), (#"{"name":"a","type":"b"}"#, ["/type"]),
      (#"{"name":"a","sensorTypes":"ph"}"#, ["/sensorTypes"]),
      (#"{"name":"a","sensorTypes":["ph","ph"]}"#, ["/sensorTypes"]),
      (
        #"{"name":"a","sensorTypes":["ok","Bad","1st","","a-b",7]}"#,
        [
          "/sensorTypes/1", "/sensorTypes/2", "/sensorTypes/3", "/sensorTypes/4", "/sensorTypes/5",
        ]
      ),
    ])
  func faults(json: String, pointers: [String]) throws {
    let client = try owner()
    let reply = try client.post("/api/gardens/\(try client.makeGarden())/devices", json)
    #expect(reply.status == 422)
    #expect(reply.pointers == pointers)
  }

  @Test("may declare 64 sensor types, as many as they may have readings of, of at most 48 characters each")
  func bounds() throws {
    let client = try owner()
    let garden = try client.makeGarden()
    func post(_ types: [String]) throws -> Int {
      let list = types.map { "\"\($0)\"" }.joined(separator: ",")
      return try client.post("/api/gardens/\(garden)/devices", #"{"name":"a","sensorTypes":[\#(list)]}"#).status
    }
    #expect(try post((0..<64).map { "t\($0)" }) == 201)
    #expect(try post((0..<65).map { "t\($0)" }) == 422)
    #expect(try post([String(repeating: "a", count: 48)]) == 201)
    #expect(try post([String(repeating: "a", count: 49)]) == 422)
  }

  @Test("are for the garden's owner alone", arguments: [(false, 404), (true, 403)])
  func ownership(isPublic: Bool, status: Int) throws {
    let (mine, stranger, nobody) = (try owner(), try owner(), Client(server))
    let garden = try mine.makeGarden(#"{"name":"a","public":\#(isPublic)}"#)
    let (id, key) = try mine.makeDevice(in: garden)
    for (client, expected) in [(stranger, status), (nobody, 401), (Client(server, token: key), 403)] {
      #expect(try client.get("/api/gardens/\(garden)/devices").status == expected)
      #expect(try client.post("/api/gardens/\(garden)/devices", #"{"name":"a"}"#).status == expected)
      #expect(try client.get("/api/devices/\(id)").status == expected)
      #expect(try client.patch("/api/devices/\(id)", #"{"name":"b"}"#).status == expected)
      #expect(try client.delete("/api/devices/\(id)").status == expected)
      #expect(try client.post("/api/devices/\(id)/key", "").status == expected)
    }
    #expect(try mine.get("/api/devices/\(id)").json["name"]?.text == "Probe")
    #expect(try works(key))
    for unknown in ["x", "\(Identifier.make(unixMilliseconds: 1))"] {
      #expect(try mine.get("/api/gardens/\(unknown)/devices").status == 404)
      #expect(try mine.get("/api/devices/\(unknown)").status == 404)
      #expect(try mine.post("/api/devices/\(unknown)/key", "").status == 404)
    }
  }

  @Test("are listed newest first, page by page")
  func pages() throws {
    let client = try owner()
    let garden = try client.makeGarden()
    var ids: [String] = []
    for number in 0..<5 { ids.append(try client.makeDevice(in: garden, #"{"name":"\#(number)"}"#).id) }
    let pages = try client.pages(from: "/api/gardens/\(garden)/devices?limit=2")
    #expect(try pages.flatMap { try $0.items.compactMap { $0["id"]?.text } } == ids.reversed())
    let cursor = try #require(try client.get("/api/gardens/\(garden)/devices?limit=1").json["nextCursor"]?.text)
    let other = try client.makeGarden()
    #expect(try client.get("/api/gardens/\(other)/devices?cursor=\(cursor)").problem == "invalid-cursor")
  }

  @Test("change by merge patch under If-Match, and go with their readings")
  func patch() throws {
    let client = try owner()
    let (id, key) = try client.makeDevice(in: try client.makeGarden(), #"{"name":"a","sensorTypes":["ph"]}"#)
    let path = "/api/devices/\(id)"
    let tag = try #require(try client.get(path).header("etag"))
    let renamed = try client.patch(path, #"{"name":"b"}"#, headers: ["If-Match: \(tag)"])
    #expect(renamed.status == 200)
    #expect(try renamed.json["name"]?.text == "b")
    #expect(try renamed.json["sensorTypes"]?.elements?.count == 1)
    #expect(try client.patch(path, #"{"name":"c"}"#, headers: ["If-Match: \(tag)"]).status == 412)
    #expect(try client.patch(path, #"{"sensorTypes":null}"#).json["sensorTypes"]?.elements?.isEmpty == true)
    #expect(try client.patch(path, #"{"name":null,"online":true}"#).pointers == ["/name", "/online"])
    #expect(try client.delete(path, headers: ["If-Match: \(tag)"]).status == 412)
    try server.withDatabase { database in
      try await database.execute(
        "INSERT INTO readings_5m VALUES (\(Identifier(id)!), 'ph', now(), 7, 7, 7, 1)")
    }
    #expect(try client.delete(path).status == 204)
    #expect(try client.get(path).status == 404)
    #expect(try ends(key))
    let left = try server.withDatabase { database in
      try await database.query("SELECT 1 FROM readings_5m WHERE device_id = \(Identifier(id)!)").count
    }
    #expect(left == 0)
  }

  @Test("may be changed under If-Match although they have reported since, but not once someone has changed them")
  func reportsAndMatches() throws {
    let client = try owner()
    let (id, _) = try client.makeDevice(in: try client.makeGarden())
    let path = "/api/devices/\(id)"
    let before = try #require(try client.get(path).header("etag"))
    try server.withDatabase { database in
      try await database.execute("UPDATE devices SET last_seen_at = now() WHERE id = \(Identifier(id)!)")
    }
    let seen = try client.get(path, headers: ["If-None-Match: \(before)"])
    let after = try #require(seen.header("etag"))
    #expect(seen.status == 200 && after != before, "a strong tag stands for the same bytes")
    #expect(try client.get(path, headers: ["If-None-Match: \(after)"]).status == 304)
    for tag in ["W/\(before)", "\"0.\(before.dropFirst(1))", String(before.dropLast(2)) + "\""] {
      #expect(try client.patch(path, #"{"name":"b"}"#, headers: ["If-Match: \(tag)"]).status == 412, "\(tag)")
    }
    for tag in ["*", after] {
      #expect(try client.patch(path, #"{"name":"b"}"#, headers: ["If-None-Match: \(tag)"]).status == 412)
    }
    #expect(try client.patch(path, #"{"name":"b"}"#, headers: ["If-Match: \"x\", \(before)"]).status == 200)
    #expect(try client.delete(path, headers: ["If-Match: \(after)"]).status == 412)
    let last = try #require(try client.get(path).header("etag"))
    #expect(try client.delete(path, headers: ["If-Match: \(last)"]).status == 204)
  }

  @Test(
    "are online if they were seen within fifteen minutes, or within three times their usual silence",
    arguments: [
      ([], 14, true), ([], 16, false), ([60, 60, 70], 14, true), ([60, 60, 70], 16, false),
      // A device that sends every quarter of an hour, except for one night.
      ([900, 901, 40_000, 899], 44, true), ([900, 901, 40_000, 899], 46, false),
    ] as [([Int32], Int, Bool)])
  func online(silences: [Int32], minutes: Int, isOnline: Bool) throws {
    let client = try owner()
    let (id, _) = try client.makeDevice(in: try client.makeGarden())
    try server.withDatabase { database in
      try await database.execute(
        """
        UPDATE devices SET last_seen_at = now() - \(minutes) * interval '1 minute', silences = \(silences)
        WHERE id = \(Identifier(id)!)
        """)
    }
    let device = try client.get("/api/devices/\(id)").json
    #expect(device["online"]?.bool == isOnline)
    #expect(device["lastSeenAt"]?.text?.count == 24)
  }

  @Test("keep the lengths of their last seven silences")
  func silences() throws {
    let device = try TestDevice(server)
    let id = device.id
    func silences() throws -> [Int32] {
      try server.withDatabase { database in
        try await database.query("SELECT unnest(silences) FROM devices WHERE id = \(id)").map {
          try $0.decode(Int32.self, 0)
        }
      }
    }
    for round in 1...9 {
      let last = Timestamp(unixMilliseconds: Clock.unixMilliseconds() - Int64(round) * 900_000)
      try server.withDatabase { database in
        try await database.execute("UPDATE devices SET last_seen_at = \(last) WHERE id = \(id)")
      }
      let sample = Sample(value: 1, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds() - 1_000 + Int64(round)))
      #expect(try device.post(device.client, [sample]).status == 200)
      #expect(try holds(within: 20) { try silences().first.map { $0 / 900 } == Int32(round) })
      // Each visit adds one silence, and the last seven are kept.
      #expect(try silences().count == min(round, 7))
    }
    #expect(try silences().map { $0 / 900 } == [9, 8, 7, 6, 5, 4, 3])
  }

  @Test("are limited in number for each garden, whoever adds them; a garden that already has more keeps them")
  func bound() throws {
    let (client, editor) = (try owner(), try owner())
    let garden = try client.makeGarden()
    try client.share(garden, as: .editor, with: editor)
    func add(_ count: Int) throws {
      try server.withDatabase { database in
        try await database.execute(
          """
          INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
          SELECT gen_random_uuid(), \(Identifier(garden)!), 'Probe', sha256(gen_random_uuid()::text::bytea), now(), now()
          FROM generate_series(1, \(count)::int)
          """)
      }
    }
    try add(DeviceInput.maximumOfGarden - 2)
    let (path, tokens) = ("/api/gardens/\(garden)/devices", [client.token, editor.token])
    let statuses = try together(4) { [server] index in
      try Client(server, token: tokens[index % 2]).post(path, #"{"name":"Probe"}"#).status
    }
    #expect(statuses.sorted() == [201, 201, 409, 409])
    try add(1)
    let id = try #require(try client.get("\(path)?limit=1").json["items"]?.elements?.first?["id"]?.text)
    #expect(try client.patch("/api/devices/\(id)", #"{"name":"Other"}"#).status == 200)
    #expect(try client.post(path, #"{"name":"Probe"}"#).problem == "conflict")
    // Another garden has a bound of its own.
    _ = try client.makeDevice(in: try client.makeGarden())
  }

  @Test("are deleted one at a time for a user, so that connections stay for others while that takes long")
  func deletions() throws {
    let server = try LiveServer(["WORKERS": "1", "DATABASE_TRANSACTION_CONNECTIONS": "4"])
    defer { server.stop() }
    let (client, other) = (try server.signedIn().client, try server.signedIn().client)
    let (id, _) = try client.makeDevice(in: try client.makeGarden())
    let token = try #require(client.token)
    /// The number of deletions that have a connection and wait for the device.
    func waiting() throws -> Int {
      try server.withDatabase { database in
        try await database.query(
          """
          SELECT FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE OF devices%'
          """
        ).count
      }
    }
    // As the import of a history does.
    let hold = try server.hold("SELECT FROM devices WHERE id = '\(id)' FOR KEY SHARE")
    defer { hold.release() }
    let idle = try server.requestsInProgress()
    let wires = try (0..<8).map { _ in
      let wire = try Wire(port: server.port)
      try wire.send(
        "DELETE /api/devices/\(id) HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r\n\r\n")
      return wire
    }
    #expect(try holds(within: 20) { try server.requestsInProgress() >= idle + wires.count && waiting() > 0 })
    #expect(try other.post("/api/gardens", #"{"name":"Neighbour"}"#).status == 201)
    #expect(try waiting() == 1)
    hold.release()
    let statuses = try wires.map { try $0.receive().status }
    #expect(statuses.sorted() == [204] + Array(repeating: 404, count: 7))
  }

  @Test("have two keys at most: the new one, and the old one for a day")
  func rotation() throws {
    let client = try owner()
    let (id, first) = try client.makeDevice(in: try client.makeGarden())
    func rotate(_ query: String = "") throws -> String {
      let reply = try client.send("POST", "/api/devices/\(id)/key\(query)")
      #expect(reply.status == 200)
      #expect(reply.header("cache-control") == "no-store")
      return try #require(try reply.json["key"]?.text)
    }
    #expect(try works(first))
    let second = try rotate()
    #expect(try works(first) && works(second))
    let third = try rotate()
    #expect(try ends(first) && works(second) && works(third))
    let fourth = try rotate("?revoke=true")
    #expect(try ends(second) && ends(third) && works(fourth))
    let fifth = try rotate("?revoke=false")
    try server.withDatabase { database in
      try await database.execute(
        """
        UPDATE devices SET previous_key_expires_at = previous_key_expires_at - interval '24 h'
        WHERE id = \(Identifier(id)!)
        """)
    }
    #expect(try ends(fourth) && works(fifth))
    // Otherwise a request in the body would be silently ignored.
    let asked = try client.post("/api/devices/\(id)/key", #"{"revoke":true}"#)
    #expect(asked.status == 422 && asked.problem == "validation-failed")
    #expect(try client.send("POST", "/api/devices/\(id)/key?revoke=maybe").status == 400)
  }
}
