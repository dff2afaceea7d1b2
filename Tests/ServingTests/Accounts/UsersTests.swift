import Testing
import Values

@Suite("Accounts", .blocking)
struct UsersTests {
  private static let password = "correct horse battery"
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private func address() -> String { "Ada.\(Identifier.make(unixMilliseconds: 1))@Example.org" }

  private func registration(_ email: String) -> String {
    #"{"email":"\#(email)","password":"\#(Self.password)","displayName":"Ada"}"#
  }

  @Test("are registered, signed in to and signed out of, whatever the case of the address")
  func wayOfAnAccount() throws {
    let client = Client(server)
    let email = address()
    let registered = try client.post("/api/users", registration(email))
    #expect(registered.status == 201)
    #expect(registered.header("location") == "/api/users/me")
    #expect(try registered.json["email"]?.text == email)
    #expect(try registered.json["role"]?.text == "user")
    #expect(!registered.text.contains("password"))
    let again = try client.post("/api/users", registration(email.uppercased()))
    #expect(again.status == 409 && again.problem == "email-taken")

    let session = try client.post(
      "/api/sessions", #"{"email":"\#(email.lowercased())","password":"\#(Self.password)"}"#)
    #expect(session.status == 201)
    #expect(session.header("cache-control") == "no-store")
    #expect(try session.json["tokenType"]?.text == "Bearer")
    #expect(try session.json["expiresIn"]?.integer == 900)
    let id = try #require(try session.json["session"]?["id"]?.text)
    #expect(session.header("location") == "/api/sessions/\(id)")

    client.token = try session.json["accessToken"]?.text
    #expect(try client.get("/api/users/me").json["email"]?.text == email)
    #expect(try client.delete("/api/sessions/current").status == 204)
    #expect(try client.get("/api/users/me").status == 401)
  }

  @Test("are refused with all faults of a registration at once")
  func faults() throws {
    let reply = try Client(server).post(
      "/api/users", #"{"email":"nobody","password":"short","displayName":"","admin":true}"#)
    #expect(reply.status == 422)
    #expect(reply.pointers == ["/email", "/password", "/displayName", "/admin"])
    let common = try Client(server).post(
      "/api/users", #"{"email":"\#(address())","password":"123456789012","displayName":"Ada"}"#)
    #expect(common.status == 422 && common.pointers == ["/password"])
  }

  @Test(
    "refuse a login without telling whether the address or the password is wrong",
    arguments: [#""wrong password here""#, #""another wrong one!""#])
  func wrongPassword(password: String) throws {
    let (_, id) = try server.signedIn()
    for email in ["\(id)@example.org", "nobody-\(id)@example.org"] {
      let reply = try Client(server).post("/api/sessions", #"{"email":"\#(email)","password":\#(password)}"#)
      #expect(reply.status == 401 && reply.problem == "unauthorized")
      #expect(reply.header("www-authenticate") != nil)
      #expect(try reply.json["detail"]?.text == "The email address or the password is wrong.")
    }
  }

  @Test("change by merge patch: absent stays, null clears, If-Match guards")
  func patch() throws {
    let (client, _) = try server.signedIn()
    let named = try client.patch("/api/users/me", #"{"displayName":"Grace","locale":"fr-CA"}"#)
    #expect(try named.json["displayName"]?.text == "Grace")
    let tag = try #require(named.header("etag"))
    #expect(try client.get("/api/users/me", headers: ["If-None-Match: \(tag)"]).status == 304)
    let cleared = try client.patch("/api/users/me", #"{"locale":null}"#, headers: ["If-Match: \(tag)"])
    #expect(cleared.status == 200)
    #expect(try cleared.json["locale"] == .null)
    #expect(try cleared.json["displayName"]?.text == "Grace")
    let stale = try client.patch("/api/users/me", #"{"displayName":"Late"}"#, headers: ["If-Match: \(tag)"])
    #expect(stale.status == 412 && stale.problem == "precondition-failed")
    #expect(try client.patch("/api/users/me", #"{"displayName":null}"#).pointers == ["/displayName"])
    #expect(try client.send("PATCH", "/api/users/me", "{}", type: "text/plain").status == 415)
  }

  @Test("take parallel changes one after the other, and refuse them only where If-Match says so")
  func parallelChanges() throws {
    let (client, _) = try server.signedIn()
    let (server, token) = (server, client.token)
    let statuses = try together(12) { index in
      let client = Client(server, token: token)
      return try (0..<5).map { try client.patch("/api/users/me", #"{"displayName":"A \#(index) \#($0)"}"#).status }
    }.flatMap { $0 }
    #expect(statuses == Array(repeating: 200, count: 60))
    let tag = try #require(try client.get("/api/users/me").header("etag"))
    let guarded = try together(8) { index in
      try Client(server, token: token).patch(
        "/api/users/me", #"{"displayName":"B \#(index)"}"#, headers: ["If-Match: \(tag)"]
      ).status
    }
    #expect(guarded.sorted() == [200] + Array(repeating: 412, count: 7))
  }

  @Test("accept only one of two new passwords that are sent at the same time")
  func parallelPasswords() throws {
    let (client, _) = try server.signedIn()
    let (server, token) = (server, client.token)
    let statuses = try together(2) { index in
      try Client(server, token: token).patch(
        "/api/users/me", #"{"password":"an entirely new one \#(index)","currentPassword":"\#(LiveServer.password)"}"#
      ).status
    }
    #expect(statuses.sorted() == [200, 403])
  }

  @Test("need the current password for a new one, which ends all other sessions")
  func passwordChange() throws {
    let (client, id) = try server.signedIn()
    let login = #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#
    let other = Client(server, token: try client.post("/api/sessions", login).json["accessToken"]?.text)
    #expect(try other.get("/api/users/me").status == 200)
    let new = "an entirely new one"
    #expect(try client.patch("/api/users/me", #"{"password":"\#(new)"}"#).pointers == ["/currentPassword"])
    let before = try client.get("/api/users/me").header("etag")
    for current in ["guess", LiveServer.password] {
      let lone = try client.patch("/api/users/me", #"{"currentPassword":"\#(current)"}"#)
      #expect(lone.status == 422 && lone.pointers == ["/password"])
    }
    #expect(try client.patch("/api/users/me", #"{"password":"short","currentPassword":"a"}"#).pointers == ["/password"])
    #expect(try client.get("/api/users/me").header("etag") == before)
    let wrong = try client.patch("/api/users/me", #"{"password":"\#(new)","currentPassword":"guess"}"#)
    #expect(wrong.status == 403 && wrong.pointers == ["/currentPassword"])
    let changed = try client.patch(
      "/api/users/me", #"{"password":"\#(new)","currentPassword":"\#(LiveServer.password)"}"#)
    #expect(changed.status == 200)
    #expect(try client.get("/api/users/me").status == 200)
    #expect(try other.get("/api/users/me").status == 401)
    #expect(try client.post("/api/sessions", login).status == 401)
  }

  @Test("are erased only with the password")
  func erasure() throws {
    let (client, id) = try server.signedIn()
    #expect(try client.delete("/api/users/me", "{}").pointers == ["/password"])
    let wrong = try client.delete("/api/users/me", #"{"password":"wrong"}"#)
    #expect(wrong.status == 403 && wrong.pointers == ["/password"])
    let erasure = #"{"password":"\#(LiveServer.password)"}"#
    #expect(try client.delete("/api/users/me", erasure, headers: ["If-Match: \"old\""]).status == 412)
    #expect(try client.get("/api/users/me").status == 200)
    #expect(try client.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status == 204)
    #expect(try client.get("/api/users/me").status == 401)
    let left = try server.withDatabase { try await $0.query("SELECT 1 FROM users WHERE id = \(id)").count }
    #expect(left == 0)
  }

  @Test("are not erased by a password that is changed meanwhile")
  func erasureByOldPassword() throws {
    let (client, id) = try server.signedIn()
    let (server, token) = (server, client.token)
    let reply = try server.answer(
      to: { try Client(server, token: token).delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#) },
      before: { try await $0.execute("UPDATE users SET password_hash = 'another' WHERE id = \(id)") })
    #expect(reply.status == 403)
    #expect(try client.get("/api/users/me").status == 200)
  }
}
