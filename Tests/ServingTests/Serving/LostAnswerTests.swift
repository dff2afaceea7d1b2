import Faults
import JSON
import Postgres
import Testing
import Values

@testable import Secrets

/// A server with a proxy before Postgres that can lose the answer to one COMMIT.
private final class Lossy: Sendable {
  let proxy: Proxy
  let server: LiveServer

  init() throws {
    let url = try TestDatabase.make()
    proxy = try Proxy(before: url)
    server = try LiveServer(["DATABASE_URL": proxy.url(for: url), "TRUSTED_PROXIES": "127.0.0.1/32"])
  }

  deinit {
    server.stop()
    proxy.become(.stop)
  }

  /// Sends a request, loses the answer to the COMMIT of the transaction that contains `mark`, and returns the reply.
  func losing(_ mark: [UInt8], _ send: () throws -> Reply) throws -> Reply {
    proxy.lose("COMMIT", to: mark)
    let reply = try send()
    #expect(proxy.hasLost)
    return reply
  }

  func losing(_ mark: String, _ send: () throws -> Reply) throws -> Reply { try losing(Array(mark.utf8), send) }

  func count(_ table: String) throws -> Int {
    try server.withDatabase { try await $0.query("SELECT count(*) FROM \(unescaped: table)")[0].decode(Int.self, 0) }
  }
}

@Suite("When the answer to a COMMIT is lost", .blocking)
struct LostAnswerTests {
  private static func isUnknown(_ reply: Reply) -> Bool {
    reply.status == 503 && reply.problem == "outcome-unknown" && reply.header("retry-after") == nil
  }

  @Test("a change is answered with an unknown outcome, and reads show what it changed")
  func change() throws {
    let lossy = try Lossy()
    let replica = try lossy.server.replica()
    defer { replica.stop() }
    let shop = try Shop(lossy.server)
    let product = "/api/products/\(try shop.offer("Leek"))"
    let readers = lossy.server.clients(4) + replica.clients(4)
    for _ in 0..<2 { for reader in readers { #expect(try reader.get(product).text.contains("Leek")) } }
    let reply = try lossy.losing("Lost leek") { try shop.owner.patch(product, #"{"name":"Lost leek"}"#) }
    #expect(Self.isUnknown(reply), "\(reply.status) \(reply.text)")
    for reader in readers { #expect(try reader.get(product).text.contains("Lost leek")) }
  }

  @Test("what was made without a key exists once, and a deleted garden is gone for everyone")
  func garden() throws {
    let lossy = try Lossy()
    let (client, _) = try lossy.server.signedIn()
    let made = try lossy.losing("Lost garden") {
      try client.post("/api/gardens", #"{"name":"Lost garden","public":true}"#)
    }
    #expect(Self.isUnknown(made))
    let gardens = try client.get("/api/gardens?owner=me").json["items"]?.elements ?? []
    #expect(gardens.compactMap { $0["name"]?.text } == ["Lost garden"])
    let id = try #require(gardens[0]["id"]?.text)
    for _ in 0..<2 {
      for reader in lossy.server.clients(4) { #expect(try reader.get("/api/gardens/\(id)").status == 200) }
    }
    let garden = try #require(Identifier(id))
    let bytes = withUnsafeBytes(of: (garden.high.bigEndian, garden.low.bigEndian)) { Array($0) }
    let gone = try lossy.losing(bytes) { try client.delete("/api/gardens/\(id)") }
    #expect(Self.isUnknown(gone))
    for reader in lossy.server.clients(4) { #expect(try reader.get("/api/gardens/\(id)").status == 404) }
  }

  @Test("an erasure is announced through Postgres too, since it may still be committed after Redis was told of it")
  func erasure() throws {
    let lossy = try Lossy()
    let (client, user) = try lossy.server.signedIn()
    func mark() throws -> Int64 {
      try lossy.server.withDatabase { try await $0.commitMark() }
    }
    let before = try mark()
    let bytes = withUnsafeBytes(of: (user.high.bigEndian, user.low.bigEndian)) { Array($0) }
    let gone = try lossy.losing(bytes) {
      try client.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#)
    }
    #expect(Self.isUnknown(gone), "\(gone.status) \(gone.text)")
    #expect(try holds { try mark() != before })
  }

  @Test("the same request with the same key gets the answer, and nothing is made twice")
  func again() throws {
    let lossy = try Lossy()
    let shop = try Shop(lossy.server)
    let (client, owner) = try lossy.server.signedIn()
    let garden = try client.makeGarden()
    let product = try shop.offer(stock: 5)
    let plot = try Plot(lossy.server, owner: owner)
    try plot.record("soil_moisture", [(hoursAgo: 1, value: 20), (hoursAgo: 0.5, value: 19)])
    let cases: [(client: Client, path: String, body: String, table: String)] = [
      (client, "/api/gardens", #"{"name":"Bed"}"#, "gardens"),
      (client, "/api/gardens/\(garden)/devices", #"{"name":"Probe"}"#, "devices"),
      (shop.owner, "/api/businesses", #"{"name":"Mill","category":"bread"}"#, "businesses"),
      (
        shop.owner, "\(shop.path)/products", #"{"name":"Rye","price":{"amount":1,"currency":"EUR"},"unit":"kg"}"#,
        "products"
      ),
      (client, "/api/gardens/\(plot.garden)/insights", #"{"type":"watering"}"#, "insights"),
      (client, "/api/orders", Client.orderBody(shop.id, [(product, 1)]), "orders"),
    ]
    for (client, path, body, table) in cases {
      let key = "\(Identifier.make(unixMilliseconds: 0))"
      let before = try lossy.count(table)
      func send(_ body: String) throws -> Reply { try client.post(path, body, headers: ["Idempotency-Key: \(key)"]) }
      let lost = try lossy.losing(key) { try send(body) }
      #expect(Self.isUnknown(lost), "\(path) \(lost.status) \(lost.text)")
      let replies = try (0..<2).map { _ in try send(body) }
      #expect(replies.allSatisfy { $0.status == 201 && $0.body == replies[0].body }, "\(path) \(replies[0].text)")
      let location = try #require(replies[1].header("location"))
      #expect(try location == replies[0].header("location") && client.get(location).status == 200)
      #expect(try lossy.count(table) == before + 1)
      #expect(try send(body + " ").problem == "idempotency-key-reused")
    }
    #expect(try shop.stock(of: product) == 4)
  }

  @Test("a file sent again with its key is imported once")
  func importAgain() throws {
    let lossy = try Lossy()
    let (client, _) = try lossy.server.signedIn()
    let file = """
      {"kind":"header","schema":1}
      {"kind":"garden","id":"\(Identifier.make(unixMilliseconds: 1))","name":"Bed"}
      """
    func send() throws -> Reply {
      try client.send(
        "POST", "/api/users/me/import", file, headers: ["Idempotency-Key: import-1"], type: "application/x-ndjson")
    }
    #expect(Self.isUnknown(try lossy.losing("import-1") { try send() }))
    let again = try send()
    #expect(try again.status == 200 && again.json["created"]?["garden"]?.integer == 1)
    #expect(try lossy.count("gardens") == 1)
  }

  @Test("a registration sent again with its key gets the same account, and nobody else gets it")
  func registration() throws {
    let lossy = try Lossy()
    func register(_ password: String, _ key: String = "newcomer-1") throws -> Reply {
      let body = #"{"email":"new@example.org","password":"\#(password)","displayName":"New"}"#
      return try Client(lossy.server).post("/api/users", body, headers: ["Idempotency-Key: \(key)"])
    }
    #expect(Self.isUnknown(try lossy.losing("newcomer-1") { try register(LiveServer.password) }))
    let replies = try (0..<2).map { _ in try register(LiveServer.password) }
    #expect(replies.allSatisfy { $0.status == 201 && $0.body == replies[0].body })
    #expect(try lossy.count("users") == 1)
    #expect(try register("another long password").problem == "email-taken")
    #expect(try register(LiveServer.password, "newcomer-2").problem == "email-taken")
  }

  @Test("a registration by invitation sent again with its key gets the same account, which is a member once")
  func invited() throws {
    let lossy = try Lossy()
    let (owner, _) = try lossy.server.signedIn()
    let members = "/api/gardens/\(try owner.makeGarden())/members"
    let invitation = try owner.post(members, #"{"email":"guest@example.org","role":"viewer"}"#)
    let token = try #require(try invitation.json["token"]?.text)
    func register() throws -> Reply {
      let body = #"{"email":"guest@example.org","password":"\#(LiveServer.password)","displayName":"Guest""#
      return try Client(lossy.server).post(
        "/api/users", body + #","invitation":"\#(token)"}"#, headers: ["Idempotency-Key: guest-1"])
    }
    #expect(Self.isUnknown(try lossy.losing("guest-1") { try register() }))
    let replies = try (0..<2).map { _ in try register() }
    #expect(replies.allSatisfy { $0.status == 201 && $0.body == replies[0].body })
    #expect(try lossy.count("users") == 2)
    #expect(try owner.get(members).json["items"]?.elements?.compactMap { $0["userId"]?.text }.count == 1)
  }

  @Test("a device key is shown again, and not stored in the clear")
  func deviceKey() throws {
    let lossy = try Lossy()
    let (client, _) = try lossy.server.signedIn()
    let device = try client.makeDevice(in: try client.makeGarden())
    let path = "/api/devices/\(device.id)/key"
    func rotate(_ body: String) throws -> Reply {
      try client.post(path, body, headers: ["Idempotency-Key: rotation-1"])
    }
    #expect(Self.isUnknown(try lossy.losing("rotation-1") { try rotate("") }))
    // A body that asks for nothing counts as none, in whatever form a client sends it.
    let replies = try ["", "{}", " {}", ""].map(rotate)
    let key = try #require(try replies[0].json["key"]?.text)
    #expect(replies.allSatisfy { $0.status == 200 && $0.body == replies[0].body })
    #expect(replies.allSatisfy { $0.header("cache-control") == "no-store" })
    // Rotated only once: the key before it still works.
    for token in [key, device.key] {
      #expect(try Client(lossy.server, token: token).get("/api/devices/\(device.id)/readings").status == 200)
    }
    let seen = try lossy.server.withDatabase { database in
      try await database.query("SELECT position(convert_to(\(key), 'UTF8') IN body) FROM idempotency_keys").map {
        try $0.decode(Int.self, 0)
      }
    }
    #expect(seen == [0])
  }

  @Test("an idempotency key of this release is found by the previous one, and vice versa", arguments: ["", "{}"])
  func releaseBefore(_ body: String) throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (client, _) = try server.signedIn()
    let device = try client.makeDevice(in: try client.makeGarden())
    let path = "/api/devices/\(device.id)/key"
    func rotate(_ body: String) throws -> Reply {
      try client.post(path, body, headers: ["Idempotency-Key: rotation-1"])
    }
    let made = try rotate(body)
    #expect(made.status == 200)
    // The previous release keeps and finds an idempotency key by the digest of target and body as they came.
    let kept = try server.withDatabase { database in
      try await database.query("SELECT body_hash FROM idempotency_keys")[0].decode([UInt8].self, 0)
    }
    #expect(kept == Digest.sha256(Array("\(path)\n\(body)".utf8)))
    for again in ["", "{}"] { #expect(try rotate(again).body == made.body) }
  }

  /// A session of a new user, and its refresh token.
  private func session(_ server: LiveServer) throws -> OpaqueKey {
    let (_, user) = try server.signedIn()
    let token = OpaqueKey.make(.refreshToken)
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO refresh_tokens (hash, session_id, created_at)
        SELECT \(token.digest), id, now() FROM sessions WHERE user_id = \(user)
        """)
    }
    return token
  }

  private func refresh(_ server: LiveServer, _ token: String?, from address: String = "198.51.100.1") throws -> Reply {
    try Client(server).post(
      "/api/sessions/refresh", #"{"refreshToken":"\#(token ?? "")"}"#, headers: ["X-Forwarded-For: \(address)"])
  }

  @Test("a refresh that is sent again gets the same next token, and the session goes on")
  func refresh() throws {
    let lossy = try Lossy()
    let token = try session(lossy.server)
    #expect(Self.isUnknown(try lossy.losing(token.digest) { try refresh(lossy.server, token.text) }))
    let replies = try (0..<2).map { _ in try refresh(lossy.server, token.text) }
    #expect(replies.allSatisfy { $0.status == 200 })
    let next = try replies.map { try $0.json["refreshToken"]?.text }
    #expect(next[0] == next[1] && next[0] != token.text)
    let access = try replies[0].json["accessToken"]?.text
    #expect(try Client(lossy.server, token: access).get("/api/users/me").status == 200)
    #expect(try refresh(lossy.server, next[0]).status == 200)
  }

  @Test(
    "a refresh token that is used again from another network ends the session",
    arguments: [
      ("198.51.100.1", "198.51.100.2", false), ("2001:db8:0:1::1", "2001:db8:0:1::2", true),
      ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
    ])
  func elsewhere(_ first: String, _ second: String, _ isSame: Bool) throws {
    let lossy = try Lossy()
    let token = try session(lossy.server)
    let next = try refresh(lossy.server, token.text, from: first).json["refreshToken"]?.text
    #expect(try refresh(lossy.server, token.text, from: second).status == (isSame ? 200 : 401))
    #expect(try refresh(lossy.server, next, from: first).status == (isSame ? 200 : 401))
  }
}
