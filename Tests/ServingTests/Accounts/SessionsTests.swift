import JSON
import Reactor
import Testing
import Values

@testable import Secrets
@testable import Web

@Suite("Sessions", .blocking)
struct SessionsTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test(
    "do not begin if the account is disabled, erased or given another password before they are stored",
    arguments: ["UPDATE users SET disabled = true", "UPDATE users SET password_hash = 'another'", "DELETE FROM users"],
    ["/api/sessions", "/api/sessions/cookie"])
  func goneAccount(change: String, path: String) throws {
    let (_, id) = try server.signedIn()
    let server = server
    let reply = try server.answer(
      to: {
        try Client(server).post(
          path, #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#,
          headers: ["Sec-Fetch-Site: same-origin"])
      },
      before: { try await $0.execute("\(unescaped: change) WHERE id = \(id)") })
    #expect(reply.status == 401)
    #expect(try reply.json["detail"]?.text == "The email address or the password is wrong.")
  }

  @Test("are listed page by page and ended one by one, by their user alone")
  func listing() throws {
    let (client, id) = try server.signedIn()
    for _ in 0..<2 { _ = try server.login(id) }
    let page = try client.get("/api/sessions?limit=2")
    #expect(try page.json["items"]?.elements?.count == 2)
    let cursor = try #require(try page.json["nextCursor"]?.text)
    #expect(page.header("link") == "</api/sessions?limit=2&cursor=\(cursor)>; rel=\"next\"")
    let rest = try client.get("/api/sessions?limit=2&cursor=\(cursor)").json
    #expect(rest["items"]?.elements?.count == 1)
    #expect(rest["items"]?.elements?.first?["current"]?.bool == true)
    #expect(rest["nextCursor"] == .null)

    let newest = try #require(try page.json["items"]?.elements?.first?["id"]?.text)
    let (stranger, _) = try server.signedIn()
    #expect(try stranger.delete("/api/sessions/\(newest)").status == 404)
    #expect(try client.delete("/api/sessions/\(newest)").status == 204)
    #expect(try client.delete("/api/sessions/\(newest)").status == 404)
    #expect(try client.delete("/api/sessions/not-an-id").status == 404)
  }

  @Test("refuse a cursor that was altered or belongs to another list")
  func cursors() throws {
    let (client, id) = try server.signedIn()
    for _ in 0..<2 { _ = try server.login(id) }
    let cursor = try #require(try client.get("/api/sessions?limit=1").json["nextCursor"]?.text)
    #expect(try client.get("/api/sessions?cursor=z\(cursor.dropFirst())").problem == "invalid-cursor")
    let (stranger, _) = try server.signedIn()
    #expect(try stranger.get("/api/sessions?cursor=\(cursor)").problem == "invalid-cursor")
    for query in ["limit=0", "limit=101", "limit=+5", "limit=", "limit=1&limit=2"] {
      #expect(try client.get("/api/sessions?\(query)").status == 400)
    }
  }

  @Test("of disabled users end, and only administrators may disable users")
  func administration() throws {
    let (client, id) = try server.signedIn()
    let (administrator, own) = try server.signedIn(role: .admin)
    #expect(try client.get("/api/admin/users").status == 403)
    #expect(try Client(server).get("/api/admin/users").status == 401)
    let list = try administrator.get("/api/admin/users?limit=100").json
    #expect(list["items"]?.elements?.isEmpty == false)
    let disabled = try administrator.patch("/api/admin/users/\(id)", #"{"disabled":true}"#)
    #expect(disabled.status == 200)
    #expect(try disabled.json["disabled"]?.bool == true)
    #expect(try client.get("/api/users/me").status == 401)
    let login = #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#
    #expect(try Client(server).post("/api/sessions", login).status == 401)
    let path = "/api/admin/users/\(id)"
    let stale = try administrator.patch(path, #"{"disabled":false}"#, headers: [#"If-Match: "nonsense""#])
    #expect(stale.status == 412)
    #expect(try Client(server).post("/api/sessions", login).status == 401)
    let tag = try #require(disabled.header("etag"))
    #expect(try administrator.patch(path, #"{"disabled":true}"#, headers: ["If-Match: \(tag)"]).status == 200)
    #expect(try administrator.patch("/api/admin/users/\(id)", #"{"disabled":false}"#).status == 200)
    #expect(try Client(server).post("/api/sessions", login).status == 201)
    #expect(try administrator.patch("/api/admin/users/\(own)", #"{"disabled":true}"#).status == 409)
  }

  @Test("of a user whose role only another release knows allow what every user may do, and no more")
  func unknownRole() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let (_, id) = try server.signedIn()
    try server.withDatabase { database in
      try await database.execute("ALTER TABLE users DROP CONSTRAINT users_role_check")
      try await database.execute("UPDATE users SET role = 'gardener' WHERE id = \(id)")
    }
    let login = #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#
    let begun = try Client(server).post("/api/sessions", login)
    let refresh = #"{"refreshToken":"\#(try begun.json["refreshToken"]?.text ?? "")"}"#
    for reply in [begun, try Client(server).post("/api/sessions/refresh", refresh)] {
      let client = Client(server, token: try #require(try reply.json["accessToken"]?.text))
      let profile = try client.get("/api/users/me")
      #expect(profile.status == 200)
      #expect(try profile.json["role"]?.text == "user")
      #expect(try client.get("/api/admin/users").status == 403)
    }
    // Redis keeps the role as it is stored, for the release that knows it.
    let client = Client(server, token: try begun.json["accessToken"]?.text)
    let session = try #require(begun.header("location")).split(separator: "/").last!
    let redis = try RedisWire()
    let isKept = try holds {
      _ = try client.get("/api/users/me")
      return try redis.send("GET", "\(server.configuration.redis.keyPrefix)session:\(session)") == "gardener \(id)"
    }
    #expect(isKept)
  }

  @Test("stay open to their user after a token of theirs that names somebody else was refused")
  func otherSubject() throws {
    let server = try server.replica(["WORKERS": "1"])
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let (_, other) = try server.signedIn()
    let claims = try TokenAuthority(server.configuration).verify(
      try #require(client.token), at: Timestamp(unixMilliseconds: Clock.unixMilliseconds()))
    let forged = TokenAuthority(server.configuration).issue(
      subject: other, session: claims.session, role: .user, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds()))
    #expect(claims.subject == id)
    #expect(try Client(server, token: forged.text).get("/api/users/me").status == 401)
    #expect(try client.get("/api/users/me").status == 200)
    #expect(try Client(server, token: forged.text).get("/api/users/me").status == 401)
  }

  @Test("of disabled users end, and so do their devices' access and orders at their shop")
  func disabledAccount() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let device = try shop.owner.makeDevice(in: try shop.owner.makeGarden())
    let probes = (0..<8).map { _ in Client(server, token: device.key) }
    let readings = #"{"readings":[{"sensorType":"ph","value":6.5,"measuredAt":"2026-01-01T00:00:00Z"}]}"#
    // 422, since the reading is too old: the test is only about access.
    for probe in probes { #expect(try probe.post("/api/devices/\(device.id)/readings", readings).status == 422) }
    let (buyer, _) = try server.signedIn()
    #expect(try buyer.order(shop.id, [(product, 1)]).status == 201)
    let (administrator, _) = try server.signedIn(role: .admin)
    func disable(_ disabled: Bool) throws {
      let reply = try administrator.patch("/api/admin/users/\(shop.ownerID)", #"{"disabled":\#(disabled)}"#)
      #expect(reply.status == 200)
    }

    try disable(true)
    for probe in probes {
      let isRefused = try holds {
        try probe.post("/api/devices/\(device.id)/readings", readings).status == 403
      }
      #expect(isRefused)
    }
    let refused = try buyer.order(shop.id, [(product, 1)])
    #expect(refused.status == 409 && refused.problem == "conflict")

    try disable(false)
    #expect(try buyer.order(shop.id, [(product, 1)]).status == 201)
    let isBack = try holds {
      try probes[0].post("/api/devices/\(device.id)/readings", readings).status == 422
    }
    #expect(isBack)
  }

  @Test(
    "are not opened by bad credentials",
    arguments: [
      ("Bearer", "There is no token"), ("Bearer  ", "There is no token"), ("Basic YTpi", "is not Bearer"),
      ("a.b.c", "Bearer is missing"), ("", "Bearer is missing"),
      ("Bearer a.b.c", "The token is not valid"), ("Bearer tdk_x", "The token is not valid"),
      ("bearer x y", "The token is not valid"),
    ])
  func badCredentials(field: String, detail: String) throws {
    let reply = try Client(server).get("/api/users/me", headers: ["Authorization: \(field)"])
    #expect(reply.status == 401)
    #expect(reply.header("www-authenticate")?.hasPrefix("Bearer") == true)
    #expect(try reply.json["detail"]?.text?.contains(detail) == true)
  }
}
