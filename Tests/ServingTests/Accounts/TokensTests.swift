import Reactor
import Testing
import Values

@testable import Accounts
@testable import Secrets
@testable import Web

@Suite("Personal access tokens", .blocking)
struct TokensTests {
  private func server() throws -> LiveServer { try LiveServer.shared.get() }

  @Test("are shown once, kept as a digest, listed with their last use, and end when they are deleted")
  func life() throws {
    let server = try server()
    let (user, _) = try server.signedIn()
    let body = #"{"name":"Grafana","scopes":["read"],"expiresAt":"2999-01-01T00:00:00Z"}"#
    let made = try user.post("/api/tokens", body)
    #expect(made.status == 201)
    #expect(made.header("cache-control") == "no-store")
    let text = try #require(try made.json["token"]?.text)
    #expect(text.hasPrefix("tpt_"))
    let id = try #require(try made.json["id"]?.text)
    let stored = try server.withDatabase { database in
      try await database.query("SELECT hash FROM personal_tokens WHERE id::text = \(id)")[0].decode([UInt8].self, 0)
    }
    #expect(stored == Digest.sha256(Array(text.utf8)))

    let program = Client(server, token: text)
    #expect(try program.get("/api/users/me").status == 200)
    #expect(
      try holds {
        let item = try user.get("/api/tokens").json["items"]?.elements?.first
        return item?["lastUsedAt"]?.text != nil && item?["token"] == nil && item?["name"]?.text == "Grafana"
      })
    let (stranger, _) = try server.signedIn()
    #expect(try stranger.delete("/api/tokens/\(id)").status == 404)
    #expect(try user.delete("/api/tokens/\(id)").status == 204)
    for client in server.clients(token: text) {
      #expect(try holds { try client.get("/api/users/me").status == 401 })
    }
  }

  @Test("allow only what their scopes say, and never to make tokens, set a password or erase the account")
  func scopes() throws {
    let server = try server()
    let (user, _) = try server.signedIn()
    let reader = Client(server, token: try user.makeToken([.read]))
    let refused = try reader.post("/api/gardens", #"{"name":"a"}"#)
    #expect(refused.status == 403)
    #expect(refused.text.contains("needs the scope write"))
    let all = Client(server, token: try user.makeToken([.read, .write, .orders]))
    #expect(try all.post("/api/gardens", #"{"name":"a"}"#).status == 201)
    #expect(try all.get("/api/gardens?owner=me").json["items"]?.elements?.count == 1)
    #expect(try all.post("/api/tokens", #"{"name":"b","scopes":["read"]}"#).status == 403)
    let password = #"{"password":"another long password","currentPassword":"\#(LiveServer.password)"}"#
    #expect(try all.patch("/api/users/me", password).status == 403)
    #expect(try all.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status == 403)
  }

  @Test("may change a garden, but not who may see it")
  func publishing() throws {
    let server = try server()
    let (user, _) = try server.signedIn()
    let path = "/api/gardens/\(try user.makeGarden())"
    let program = Client(server, token: try user.makeToken([.read, .write]))
    let refused = try program.patch(path, #"{"public":true}"#)
    #expect(refused.status == 403 && refused.problem == "forbidden")
    #expect(try Client(server).get(path).status == 404)
    #expect(try program.patch(path, #"{"public":false,"name":"b"}"#).status == 200)
    #expect(try user.patch(path, #"{"public":true}"#).status == 200)
    #expect(try program.patch(path, #"{"public":false}"#).status == 403)
    #expect(try Client(server).get(path).json["name"]?.text == "b")
  }

  @Test("end when they expire, and when their account is disabled")
  func ends() throws {
    let server = try server()
    let (user, id) = try server.signedIn()
    let soon = Timestamp(unixMilliseconds: Clock.unixMilliseconds() + Timestamp.millisecondsPerHour)
    let short = Client(server, token: try user.makeToken([.read], members: #","expiresAt":"\#(soon)""#))
    // As if the token's hour were over.
    try server.withDatabase {
      try await $0.execute("UPDATE personal_tokens SET expires_at = now() WHERE expires_at = \(soon)")
    }
    let long = Client(server, token: try user.makeToken([.read]))
    #expect(try long.get("/api/users/me").status == 200)
    #expect(try holds { try short.get("/api/users/me").status == 401 })
    let (administrator, _) = try server.signedIn(role: .admin)
    #expect(try administrator.patch("/api/admin/users/\(id)", #"{"disabled":true}"#).status == 200)
    #expect(try holds { try long.get("/api/users/me").status == 401 })
  }

  @Test("are forgotten by all loops as soon as their account is disabled or erased, also those of the previous release")
  func announced() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (administrator, _) = try server.signedIn(role: .admin)
    let channel = "\(server.configuration.redis.keyPrefix)announcements"
    for isErased in [false, true] {
      let (user, id) = try server.signedIn()
      let tokens = try (0..<2).map { _ in
        try #require(try user.post("/api/tokens", #"{"name":"Script","scopes":["read"]}"#).json["id"]?.text)
      }
      let redis = try RedisWire()
      try redis.send("SUBSCRIBE", channel)
      if isErased {
        #expect(try user.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status == 204)
      } else {
        #expect(try administrator.patch("/api/admin/users/\(id)", #"{"disabled":true}"#).status == 200)
      }
      // The previous release hears only of one at a time.
      var awaited = Set(tokens.map { "message \(channel) token \($0)" })
      for _ in 0..<20 where !awaited.isEmpty { awaited.remove(try redis.receive()) }
      #expect(awaited.isEmpty)
    }
  }

  @Test(
    "are refused with a fault in their name, scopes or expiry",
    arguments: [
      (#"{"name":"a","scopes":[]}"#, ["/scopes"]), (#"{"name":"a","scopes":["read","read"]}"#, ["/scopes"]),
      (#"{"name":"a","scopes":["admin"]}"#, ["/scopes/0"]), (#"{"scopes":["read"]}"#, ["/name"]),
      (#"{"name":"a","scopes":["read"],"expiresAt":"2020-01-01T00:00:00Z"}"#, ["/expiresAt"]),
    ])
  func faults(body: String, pointers: [String]) throws {
    let (user, _) = try server().signedIn()
    let reply = try user.post("/api/tokens", body)
    #expect(reply.status == 422)
    #expect(reply.pointers == pointers)
  }

  @Test("are limited to a hundred for each user")
  func bound() throws {
    let server = try server()
    let (user, id) = try server.signedIn()
    try server.withDatabase { database in
      _ = try await database.execute(
        """
        INSERT INTO personal_tokens (id, user_id, name, scopes, hash, created_at)
        SELECT gen_random_uuid(), \(id), 'a', '{read}', sha256(gen_random_uuid()::text::bytea), now()
        FROM generate_series(1, \(Tokens.maximumOfUser) - 1)
        """)
    }
    _ = try user.makeToken([.read])
    #expect(try user.post("/api/tokens", #"{"name":"b","scopes":["read"]}"#).status == 409)
  }

  @Test("are not made by a session that ends meanwhile")
  func endedSession() throws {
    let server = try server()
    let (user, id) = try server.signedIn()
    let token = user.token
    let reply = try server.answer(
      to: { try Client(server, token: token).post("/api/tokens", #"{"name":"a","scopes":["read"]}"#) },
      before: { transaction in
        try await transaction.execute("SELECT FROM users WHERE id = \(id) FOR NO KEY UPDATE")
        try await transaction.execute("UPDATE sessions SET revoked_at = now() WHERE user_id = \(id)")
      })
    #expect(reply.status == 401)
  }
}
