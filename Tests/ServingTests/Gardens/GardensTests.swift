import Postgres
import Testing
import Values

@testable import Gardens

@Suite("Gardens", .blocking)
struct GardensTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private func owner() throws -> Client { try server.signedIn().client }

  @Test("are private unless made public, and keep all their properties")
  func creation() throws {
    let (client, user) = try server.signedIn()
    let plain = try client.post("/api/gardens", #"{"name":"Patch"}"#)
    #expect(plain.status == 201)
    let id = try #require(try plain.json["id"]?.text)
    #expect(plain.header("location") == "/api/gardens/\(id)")
    #expect(plain.header("cache-control") == "private, no-cache")
    #expect(try plain.json["ownerId"]?.text == "\(user)")
    #expect(try plain.json["public"]?.bool == false)
    #expect(try plain.json["location"] == .null)
    #expect(try plain.json["areaSquareMetres"] == .null)
    let full = try client.post(
      "/api/gardens",
      #"{"name":"Südhang","location":{"latitude":-33.9,"longitude":151.2},"areaSquareMetres":12.5,"public":true}"#)
    #expect(full.status == 201)
    #expect(try full.json["location"]?["latitude"]?.number == -33.9)
    #expect(try full.json["areaSquareMetres"]?.number == 12.5)
    let shown = try Client(server).get(try #require(full.header("location")))
    #expect(shown.body == full.body)
    #expect(shown.header("etag") == full.header("etag"))
    #expect(shown.header("cache-control") == "no-cache")
  }

  @Test(
    "are refused with all their faults at once",
    arguments: [
      (#"{}"#, ["/name"]), (#"{"name":""}"#, ["/name"]), (#"{"name":7}"#, ["/name"]),
      (#"{"name":"a","area":1}"#, ["/area"]),
      (#"{"name":"a","location":{"latitude":91}}"#, ["/location/latitude", "/location/longitude"]),
      (
        #"{"name":"a","location":[1,2],"areaSquareMetres":-1,"public":"yes"}"#,
        ["/location", "/areaSquareMetres", "/public"]
      ),
      (#"[]"#, [""]),
    ])
  func faults(json: String, pointers: [String]) throws {
    let reply = try owner().post("/api/gardens", json)
    #expect(reply.status == 422 && reply.problem == "validation-failed")
    #expect(reply.pointers == pointers)
  }

  @Test("are made, changed and deleted by signed-in users only")
  func anonymous() throws {
    let id = try owner().makeGarden(#"{"name":"Open","public":true}"#)
    let nobody = Client(server)
    #expect(try nobody.post("/api/gardens", #"{"name":"a"}"#).status == 401)
    #expect(try nobody.patch("/api/gardens/\(id)", "{}").status == 401)
    #expect(try nobody.delete("/api/gardens/\(id)").status == 401)
    #expect(try nobody.get("/api/gardens?owner=me").status == 401)
    nobody.token = "nonsense"
    #expect(try nobody.get("/api/gardens").status == 401)
  }

  @Test("cannot be seen by anyone else when private, nor changed by anyone else when public")
  func ownership() throws {
    let (mine, stranger) = (try owner(), try owner())
    let secret = try mine.makeGarden()
    let open = try mine.makeGarden(#"{"name":"Open","public":true}"#)
    for client in [stranger, Client(server)] {
      #expect(try client.get("/api/gardens/\(secret)").problem == "not-found")
      #expect(try client.get("/api/gardens/\(open)").status == 200)
    }
    #expect(try mine.get("/api/gardens/\(secret)").status == 200)
    for (id, status) in [(secret, 404), (open, 403)] {
      #expect(try stranger.patch("/api/gardens/\(id)", #"{"name":"Mine"}"#).status == status)
      #expect(try stranger.delete("/api/gardens/\(id)").status == status)
    }
    #expect(try mine.get("/api/gardens/\(open)").json["name"]?.text == "Open")
    for id in ["x", "\(Identifier.make(unixMilliseconds: 1))"] {
      #expect(try mine.get("/api/gardens/\(id)").status == 404)
      #expect(try mine.patch("/api/gardens/\(id)", "{}").status == 404)
      #expect(try mine.delete("/api/gardens/\(id)").status == 404)
    }
  }

  @Test("change by merge patch under If-Match")
  func patch() throws {
    let client = try owner()
    let id = try client.makeGarden(
      #"{"name":"A","location":{"latitude":1,"longitude":2},"areaSquareMetres":3,"public":true}"#)
    let path = "/api/gardens/\(id)"
    let tag = try #require(try client.get(path).header("etag"))
    #expect(try client.get(path, headers: ["If-None-Match: \(tag)"]).status == 304)
    let changed = try client.send(
      "PATCH", path, #"{"location":null,"name":"B"}"#, headers: ["If-Match: \(tag)"],
      type: "application/merge-patch+json")
    #expect(changed.status == 200)
    #expect(try changed.json["name"]?.text == "B")
    #expect(try changed.json["location"] == .null)
    #expect(try changed.json["areaSquareMetres"]?.number == 3)
    #expect(try client.patch(path, #"{"name":"C"}"#, headers: ["If-Match: \(tag)"]).problem == "precondition-failed")
    #expect(try client.delete(path, headers: ["If-Match: \(tag)"]).status == 412)
    #expect(try client.patch(path, #"{"name":null,"public":null}"#).pointers == ["/name", "/public"])
    // A patch with a part of a location is refused, since the rest of it is not known.
    #expect(try client.patch(path, #"{"location":{"latitude":5}}"#).pointers == ["/location/longitude"])
    let now = try #require(changed.header("etag"))
    #expect(try client.delete(path, headers: ["If-Match: \(now)"]).status == 204)
    #expect(try client.get(path).status == 404)
  }

  @Test("are listed newest first, page by page: one's own, and the public ones of all")
  func pages() throws {
    let (mine, other) = (try owner(), try owner())
    var own: [String] = []
    for number in 0..<5 { own.append(try mine.makeGarden(#"{"name":"\#(number)","public":\#(number % 2 == 0)}"#)) }
    let theirs = try other.makeGarden(#"{"name":"theirs","public":true}"#)
    let hidden = try other.makeGarden()
    func walk(_ client: Client, _ target: String) throws -> [String] {
      try client.pages(from: target).flatMap { page in
        #expect(page.status == 200)
        #expect((page.next != nil) == (try page.json["nextCursor"]?.text != nil))
        return try page.items.compactMap { $0["id"]?.text }
      }
    }
    #expect(try walk(mine, "/api/gardens?owner=me&limit=2") == own.reversed())
    let visible = try walk(mine, "/api/gardens?limit=100")
    #expect(visible == visible.sorted(by: >) && Set(visible).count == visible.count)
    #expect(Set(visible).isSuperset(of: own + [theirs]) && !visible.contains(hidden))
    let open = try walk(Client(server), "/api/gardens?limit=100")
    #expect(open.contains(own[0]) && !open.contains(own[1]) && open.contains(theirs) && !open.contains(hidden))
  }

  @Test("are found around a place among one's own, those shared by others or the public ones, nearest first")
  func nearby() throws {
    let (mine, other) = (try owner(), try owner())
    func make(_ client: Client, _ name: String, at latitude: Double, _ isPublic: Bool = false) throws -> String {
      try client.makeGarden(
        #"{"name":"\#(name)","public":\#(isPublic),"location":{"latitude":\#(latitude),"longitude":-170.5}}"#)
    }
    _ = try (make(mine, "far", at: 60), make(mine, "near", at: 40.51), make(mine, "open", at: 40.52, true))
    _ = try (make(other, "hidden", at: 40.5), make(other, "theirs", at: 40.5, true))
    for (name, latitude) in [("shared", 40.49), ("distant", 60)] {
      try other.share(try make(other, name, at: latitude), as: .viewer, with: mine)
    }
    for (query, expected) in [
      ("owner=me", ["near", "open"]), ("owner=me&within=2", ["near"]), ("owner=others", ["shared"]),
      ("", ["theirs", "open"]),
    ] {
      let pages = try mine.pages(from: "/api/gardens?near=40.5,-170.5&limit=1&\(query)")
      #expect(try pages.flatMap { try $0.items.compactMap { $0["name"]?.text } } == expected, "\(query)")
    }
    let cursor = try #require(try mine.get("/api/gardens?owner=me&near=40.5,-170.5&limit=1").json["nextCursor"]?.text)
    for query in ["near=40.5,-170.5", "owner=others&near=40.5,-170.5", "owner=me&near=40.5,-170", "owner=me"] {
      #expect(try mine.get("/api/gardens?\(query)&cursor=\(cursor)").problem == "invalid-cursor", "\(query)")
    }
    #expect(try Client(server).get("/api/gardens?owner=me&near=40.5,-170.5").status == 401)
  }

  @Test("refuse the cursor of another list, and malformed queries")
  func badPages() throws {
    let (mine, other) = (try owner(), try owner())
    for _ in 0..<2 { _ = try mine.makeGarden() }
    let cursor = try #require(try mine.get("/api/gardens?owner=me&limit=1").json["nextCursor"]?.text)
    #expect(try mine.get("/api/gardens?owner=me&cursor=\(cursor)").status == 200)
    #expect(try other.get("/api/gardens?owner=me&cursor=\(cursor)").problem == "invalid-cursor")
    #expect(try mine.get("/api/gardens?cursor=\(cursor)").problem == "invalid-cursor")
    for query in ["limit=0", "limit=101", "limit=x", "owner=you", "limit=1&limit=2"] {
      #expect(try mine.get("/api/gardens?\(query)").status == 400)
    }
  }

  @Test("show a change at once on every loop and every replica")
  func freshness() throws {
    let replica = try server.replica()
    defer { replica.stop() }
    let mine = try owner()
    let id = try mine.makeGarden(#"{"name":"0","public":true}"#)
    let readers = server.clients() + replica.clients()
    for round in 1...5 {
      #expect(try mine.patch("/api/gardens/\(id)", #"{"name":"\#(round)"}"#).status == 200)
      for reader in readers {
        #expect(try reader.get("/api/gardens/\(id)").json["name"]?.text == "\(round)")
        let newest = try reader.get("/api/gardens?limit=100").json["items"]?.elements
        #expect(newest?.first { $0["id"]?.text == id }?["name"]?.text == "\(round)")
      }
    }
    #expect(try mine.patch("/api/gardens/\(id)", #"{"public":false}"#).status == 200)
    for reader in readers {
      #expect(try reader.get("/api/gardens/\(id)").status == 404)
      #expect(try !reader.get("/api/gardens?limit=100").text.contains(id))
    }
  }

  @Test("are served from the cache to anonymous readers")
  func hits() throws {
    let id = try owner().makeGarden(#"{"name":"Kept","public":true}"#)
    let client = Client(server)
    // Changes the database behind the cache's back: once the answer is kept, the change is not seen.
    var isKept = false
    for round in 0..<100 where !isKept {
      let first = try client.get("/api/gardens/\(id)")
      let name = "Other \(round)"
      try server.withDatabase { try await $0.execute("UPDATE gardens SET name = \(name) WHERE id::text = \(id)") }
      isKept = try client.get("/api/gardens/\(id)").body == first.body
    }
    #expect(isKept)
  }

  @Test("are limited in number for each owner, however they come; an owner who already has more keeps them")
  func bound() throws {
    let (mine, id) = try server.signedIn()
    let others = try owner()
    let shared = try others.makeGarden()
    try others.share(shared, as: .viewer, with: mine)
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO gardens (id, owner_id, name, created_at, updated_at)
        SELECT gen_random_uuid(), \(id), 'Bed', now(), now() FROM generate_series(1, \(GardenInput.maximumOfOwner - 2))
        """)
    }
    let token = mine.token
    let statuses = try together(4) { [server] _ in
      try Client(server, token: token).post("/api/gardens", #"{"name":"Bed"}"#).status
    }
    #expect(statuses.sorted() == [201, 201, 409, 409])
    let file = #"""
      {"kind":"header","schema":1}
      {"kind":"garden","id":"01890000-0000-7000-8000-000000000001","name":"Bed"}
      """#
    func take() throws -> Reply { try mine.send("POST", "/api/users/me/import", file, type: "application/x-ndjson") }
    #expect(try take().problem == "conflict")
    let members = "/api/gardens/\(shared)/members"
    let member = try #require(try others.get(members).json["items"]?.elements?.first?["id"]?.text)
    func handOver() throws -> Int { try others.patch("\(members)/\(member)", #"{"role":"owner"}"#).status }
    #expect(try handOver() == 409)
    #expect(try others.get("/api/gardens/\(shared)").json["ownerId"]?.text != "\(id)")

    // As if they were made before there was a bound.
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO gardens (id, owner_id, name, created_at, updated_at)
        SELECT gen_random_uuid(), \(id), 'Bed', now(), now() FROM generate_series(1, 2)
        """)
    }
    func newest() throws -> [String] {
      try mine.get("/api/gardens?owner=me&limit=3").json["items"]?.elements?.compactMap { $0["id"]?.text } ?? []
    }
    let gardens = try newest()
    #expect(try mine.patch("/api/gardens/\(gardens[0])", #"{"name":"Other"}"#).status == 200)
    #expect(try mine.post("/api/gardens", #"{"name":"Bed"}"#).status == 409)
    for garden in gardens { #expect(try mine.delete("/api/gardens/\(garden)").status == 204) }
    #expect(try handOver() == 200)
    #expect(try take().status == 409)
    #expect(try mine.delete("/api/gardens/\(try newest()[0])").status == 204)
    #expect(try take().status == 200)
  }

  @Test("are deleted with their devices' readings")
  func deletion() throws {
    let mine = try owner()
    let garden = try mine.makeGarden()
    let device = try mine.makeDevice(in: garden)
    let kept = try mine.makeDevice(in: try mine.makeGarden())
    try server.withDatabase { database in
      for id in [device.id, kept.id] {
        try await database.execute(
          """
          INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
          VALUES (\(Identifier(id)!), 'ph', now(), 1, 1, 1, 1)
          """)
      }
    }
    #expect(try mine.delete("/api/gardens/\(garden)").status == 204)
    #expect(try mine.get("/api/devices/\(device.id)").status == 404)
    let left = try server.withDatabase { database in
      try await database.query(
        "SELECT device_id FROM readings_1h WHERE device_id IN (\(Identifier(device.id)!), \(Identifier(kept.id)!))"
      ).map { try $0.decode(Identifier.self, 0).description }
    }
    #expect(left == [kept.id])
  }

  @Test("are deleted with the readings of a few devices at a time: those of years take long")
  func deletionInParts() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let mine = try server.signedIn().client
    let garden = try mine.makeGarden()
    let (id, most) = (Identifier(garden)!, ErasedDevices.devicesPerStatement)
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute(
          """
          INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
          SELECT gen_random_uuid(), \(id), 'Probe', sha256(gen_random_uuid()::text::bytea), now(), now()
          FROM generate_series(1, \(2 * most + 1)::int)
          """)
        try await transaction.execute(
          "INSERT INTO readings_5m SELECT id, 'ph', date_trunc('hour', now()), 1, 1, 1, 1 FROM devices")
        try await transaction.script(
          """
          CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN
            IF (SELECT count(DISTINCT device_id) FROM gone) > \(most) THEN RAISE 'too many'; END IF;
            RETURN NULL;
          END $$;
          CREATE TRIGGER refuse AFTER DELETE ON readings_5m REFERENCING OLD TABLE AS gone
          FOR EACH STATEMENT EXECUTE FUNCTION refuse();
          """)
      }
    }
    #expect(try mine.delete("/api/gardens/\(garden)").status == 204)
    let left = try server.withDatabase { database in
      try await database.query("SELECT count(*) FROM readings_5m")[0].decode(Int.self, 0)
    }
    #expect(left == 0)
  }
}
