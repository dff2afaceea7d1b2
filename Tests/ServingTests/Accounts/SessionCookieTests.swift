import JSON
import Testing
import Values

@Suite("A session's cookie", .blocking)
struct SessionCookieTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private static let ownPage = "Sec-Fetch-Site: same-origin"

  private func signIn(_ id: Identifier, headers: [String] = [ownPage]) throws -> Reply {
    try Client(server).post(
      "/api/sessions/cookie", #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#, headers: headers)
  }

  /// The `Cookie` field that a browser sends after `reply`.
  private func cookie(_ reply: Reply) throws -> String {
    let setting = try #require(reply.header("set-cookie"))
    return "Cookie: \(setting.prefix { $0 != ";" })"
  }

  @Test("is for this host alone, and scripts cannot read it")
  func attributes() throws {
    let (_, id) = try server.signedIn()
    let reply = try signIn(id)
    #expect(reply.status == 201 && reply.header("cache-control") == "no-store")
    let parts = try #require(reply.header("set-cookie")).split(separator: "; ").map(String.init)
    #expect(parts[0].hasPrefix("__Host-terroir=tsk_"))
    #expect(Set(parts.dropFirst()) == ["Max-Age=34560000", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"])
    #expect(try reply.json["current"]?.bool == true && !reply.text.contains("tsk_"))
  }

  @Test("opens what is its user's, and what is public stays open when the session has ended")
  func opening() throws {
    let (owner, id) = try server.signedIn()
    let garden = try owner.makeGarden()
    let cookie = try cookie(try signIn(id))
    let browser = Client(server)
    #expect(try browser.get("/api/users/me", headers: ["Cookie: a=b; \(cookie.dropFirst(8))"]).status == 200)
    #expect(try browser.get("/api/gardens/\(garden)", headers: [cookie]).header("cache-control") == "private, no-cache")
    #expect(try browser.get("/gardens/\(garden)", headers: [cookie]).status == 200)
    let ended = try browser.delete("/api/sessions/current", headers: [cookie, Self.ownPage])
    #expect(ended.status == 204 && ended.header("set-cookie")?.hasPrefix("__Host-terroir=; Max-Age=0;") == true)
    #expect(try browser.get("/api/users/me", headers: [cookie]).status == 401)
    #expect(try browser.get("/api/gardens", headers: [cookie]).status == 200)
    #expect(try browser.get("/gardens/\(garden)", headers: [cookie]).status == 404)
    for nonsense in ["__Host-terroir=", "__Host-terroir=tsk_1", "terroir=\(cookie.dropFirst(23))"] {
      #expect(try browser.get("/api/users/me", headers: ["Cookie: \(nonsense)"]).status == 401, "\(nonsense)")
    }
  }

  @Test(
    "allows changes only from a page of this server",
    arguments: [
      (["Sec-Fetch-Site: same-origin"], true), (["Origin: http://test"], true), (["Origin: https://TEST"], true),
      (["Sec-Fetch-Site: same-origin", "Origin: https://elsewhere.example"], true),
      ([], false), (["Sec-Fetch-Site: same-site"], false), (["Sec-Fetch-Site: cross-site"], false),
      (["Sec-Fetch-Site: none"], false), (["Sec-Fetch-Site: cross-site", "Origin: http://test"], false),
      (["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"], false), (["Origin: null"], false),
      (["Origin: https://test.example"], false), (["Origin: https://evil-test"], false), (["Origin: test"], false),
      (["Origin: http://test", "Origin: http://other"], false), (["Origin: http://test:8080"], false),
    ] as [([String], Bool)])
  func origins(headers: [String], isAllowed: Bool) throws {
    let (_, id) = try server.signedIn()
    #expect(try signIn(id, headers: headers).status == (isAllowed ? 201 : 403))
    let cookie = try cookie(try signIn(id))
    let browser = Client(server)
    let made = try browser.post("/api/gardens", #"{"name":"Bed"}"#, headers: headers + [cookie])
    #expect(made.status == (isAllowed ? 201 : 403) && (isAllowed || made.problem == "forbidden"))
    #expect(try browser.patch("/api/users/me", "{}", headers: headers + [cookie]).status == (isAllowed ? 200 : 403))
    // A request that only reads may come from anywhere, such as a link.
    #expect(try browser.get("/api/users/me", headers: headers + [cookie]).status == 200)
  }

  @Test("yields to a token, which allows changes from anywhere")
  func precedence() throws {
    let (_, id) = try server.signedIn()
    let (other, otherID) = try server.signedIn()
    let cookie = try cookie(try signIn(id))
    #expect(try other.get("/api/users/me", headers: [cookie]).json["id"]?.text == otherID.description)
    #expect(try other.post("/api/gardens", #"{"name":"Bed"}"#, headers: [cookie]).status == 201)
    #expect(try Client(server, token: "nonsense").get("/api/users/me", headers: [cookie]).status == 401)
    // Signing out by a token leaves the session of the browser's cookie alone.
    let ended = try other.delete("/api/sessions/current", headers: [cookie])
    #expect(ended.status == 204 && ended.header("set-cookie") == nil)
    #expect(try Client(server).get("/api/users/me", headers: [cookie]).status == 200)
  }

  @Test("renews its session while it is used, and expires with it")
  func renewal() throws {
    let (_, id) = try server.signedIn()
    let cookie = try cookie(try signIn(id))
    func shift(_ change: String) throws {
      try server.withDatabase { database in
        try await database.execute("UPDATE sessions SET \(unescaped: change) WHERE user_id = \(id)")
      }
    }
    func daysLeft() throws -> Double? {
      try server.withDatabase { database in
        try await database.query(
          """
          SELECT (extract(epoch FROM expires_at - now()) / 86400)::float8 FROM sessions
          WHERE user_id = \(id) AND last_used_at > now() - interval '1 minute' ORDER BY id DESC
          """
        ).first?.decode(Double.self, 0)
      }
    }
    try shift("last_used_at = now() - interval '2 days', expires_at = now() + interval '28 days'")
    #expect(try daysLeft() == nil)
    #expect(try Client(server).get("/api/users/me", headers: [cookie]).status == 200)
    #expect((29.9...30).contains(try #require(try daysLeft())))
    try shift("expires_at = now() - interval '1 minute'")
    #expect(try holds { try Client(server).get("/api/users/me", headers: [cookie]).status == 401 })
  }
}
