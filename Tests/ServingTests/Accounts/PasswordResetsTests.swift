import JSON
import Postgres
import Testing
import Values

@testable import Accounts

/// Resets by mail, sent to a real server on the loopback address.
@Suite("A forgotten password", .blocking, .serialized)
struct PasswordResetsTests {
  private static let setUp = Result {
    let mail = try MailServer()
    return (mail: mail, server: try LiveServer(settings(port: mail.port)))
  }
  private static let newPassword = "an entirely new password"
  private let mail: MailServer
  private let server: LiveServer
  private let anyone: Client

  init() throws {
    (mail, server) = try Self.setUp.get()
    anyone = Client(server)
  }

  private static func settings(port: UInt16) -> [String: String] {
    MailServer.settings(port: port)
      .merging(["PUBLIC_URL": "https://garden.example.org", "RATE_LIMIT_PASSWORD_RESET": "off"]) { $1 }
  }

  private func ask(_ email: String) throws -> Reply {
    try anyone.post("/api/password-resets", #"{"email":"\#(email)"}"#)
  }

  private func choose(_ token: String, _ password: String = newPassword) throws -> Reply {
    try Client(server).post("/api/password-resets/\(token)", #"{"password":"\#(password)"}"#)
  }

  private func signIn(_ id: Identifier, _ password: String) throws -> Int {
    try anyone.post("/api/sessions", #"{"email":"\#(id)@example.org","password":"\#(password)"}"#).status
  }

  /// The token in the last mail to a user, once there are at least `mails`.
  private func token(_ id: Identifier, mails: Int = 1, of mail: MailServer? = nil) throws -> String {
    let mail = mail ?? self.mail
    #expect(holds(within: 30) { mail.texts(to: "\(id)@example.org").count >= mails })
    let text = try #require(mail.texts(to: "\(id)@example.org").last)
    let link = try #require(text.split(separator: "\n").first { $0.hasPrefix("https://") })
    let parts = link.split(separator: "#")
    #expect(parts.count == 2 && parts[0] == "https://garden.example.org/password-reset")
    return try String(#require(parts.last))
  }

  /// Asks for a reset and returns the token from the mail.
  private func mailedToken(_ id: Identifier) throws -> String {
    #expect(try ask("\(id)@example.org").status == 202)
    return try token(id)
  }

  /// How many mails to an address are still to be sent, and how many were asked for.
  private func waiting(_ email: String) throws -> (waiting: Int, all: Int) {
    try server.withDatabase { database in
      try await database.query(
        "SELECT count(next_attempt_at), count(*) FROM password_resets WHERE email_key = \(email)")[0]
        .decode((Int.self, Int.self))
    }
  }

  @Test("is replaced by mail, once: all sessions and tokens end, and failed sign-ins are forgiven")
  func wholeWay() throws {
    let (client, id) = try server.signedIn()
    let program = try client.post("/api/tokens", #"{"name":"x","scopes":["read"]}"#)
    let reader = Client(server, token: try program.json["token"]?.text)
    #expect(try reader.get("/api/users/me").status == 200)
    let signedIn = try anyone.post(
      "/api/sessions/cookie", #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#,
      headers: ["Sec-Fetch-Site: same-origin"])
    let cookie = "Cookie: \(try #require(signedIn.header("set-cookie")).prefix { $0 != ";" })"
    #expect(try anyone.get("/api/users/me", headers: [cookie]).status == 200)
    for _ in 0..<10 { #expect(try signIn(id, "not this one, no") == 401) }
    #expect(try signIn(id, LiveServer.password) == 429)

    let token = try mailedToken(id)
    let short = try choose(token, "short")
    #expect(short.status == 422 && short.pointers == ["/password"])
    #expect(try choose(token).status == 204)
    #expect(try client.get("/api/users/me").status == 401)
    #expect(try reader.get("/api/users/me").status == 401)
    #expect(try anyone.get("/api/users/me", headers: [cookie]).status == 401)
    #expect(try signIn(id, LiveServer.password) == 401)
    #expect(try signIn(id, Self.newPassword) == 201)

    let (again, never) = (try choose(token), try choose("tpr_\(String(repeating: "A", count: 43))"))
    #expect(again.status == 404 && never.status == 404 && again.problem == "not-found")
    #expect(try again.json["detail"] == never.json["detail"])
    #expect(server.log.line("/api/password-resets/***") != nil)
    #expect(!server.log.lines.contains { $0.contains(token) })
  }

  @Test("is replaced by only one of two parallel requests with the same token")
  func twoAtOnce() throws {
    let (_, id) = try server.signedIn()
    let token = try mailedToken(id)
    let (port, body) = (server.port, #"{"password":"\#(Self.newPassword)"}"#)
    let statuses = try together(2) { _ in
      try Client(port: port).post("/api/password-resets/\(token)", body).status
    }
    #expect(statuses.sorted() == [204, 404])
  }

  @Test("is not replaced by a token that has expired, is older than the password, or belongs to a disabled account")
  func void() throws {
    let (client, id) = try server.signedIn()
    let first = try mailedToken(id)
    try server.withDatabase { database in
      try await database.execute(
        "UPDATE password_resets SET expires_at = now() - interval '1 second' WHERE user_id = \(id)")
    }
    #expect(try choose(first).status == 404)

    #expect(try ask("\(id)@example.org").status == 202)
    let second = try token(id, mails: 2)
    let change = #"{"password":"\#(Self.newPassword) 2","currentPassword":"\#(LiveServer.password)"}"#
    #expect(try client.patch("/api/users/me", change).status == 200)
    #expect(try choose(second).status == 404)

    #expect(try ask("\(id)@example.org").status == 202)
    let third = try token(id, mails: 3)
    func setDisabled(_ isDisabled: Bool) throws {
      try server.withDatabase { try await $0.execute("UPDATE users SET disabled = \(isDisabled) WHERE id = \(id)") }
    }
    try setDisabled(true)
    #expect(try choose(third).status == 404)
    try setDisabled(false)
    #expect(try choose(third).status == 204)
  }

  @Test("can be reported for any address, and the answer does not tell whether it has an account")
  func alike() throws {
    let (_, disabled) = try server.signedIn()
    try server.withDatabase { try await $0.execute("UPDATE users SET disabled = true WHERE id = \(disabled)") }
    let (_, known) = try server.signedIn()
    let addresses = ["\(known)@example.org", "nobody-\(known)@example.org", "\(disabled)@example.org"]
    let replies = try addresses.map { try ask($0) }
    let names = replies.map { $0.headers.map(\.name).sorted() }
    #expect(replies.allSatisfy { $0.status == 202 && $0.body.isEmpty } && Set(names).count == 1)
    for address in addresses {
      #expect(try holds(within: 30) { try waiting(address).waiting == 0 })
      #expect(try waiting(address).all == 1)
    }
    #expect(holds(within: 30) { mail.texts(to: addresses[0]).count == 1 })
    #expect(mail.texts(to: addresses[1]).isEmpty && mail.texts(to: addresses[2]).isEmpty)
    for email in ["a@example.org\\r\\nBcc: b@example.org", "a@example.org>,<b@example.org", "nobody"] {
      let reply = try ask(email)
      #expect(reply.status == 422 && reply.pointers == ["/email"])
    }
  }

  @Test("causes at most three mails an hour, and can be reported from one network as often as the operator allows")
  func bounded() throws {
    let (client, id) = try server.signedIn()
    let address = "\(id)@example.org"
    for _ in 0..<5 { #expect(try ask(address.uppercased().replacing("EXAMPLE", with: "Example")).status == 202) }
    #expect(try holds(within: 30) { try waiting(address) == (0, 3) })
    #expect(holds(within: 30) { mail.texts(to: address).count == 3 })
    try server.withDatabase { database in
      try await database.execute(
        "UPDATE password_resets SET requested_at = now() - interval '61 minutes' WHERE email_key = \(address)")
    }
    #expect(try ask(address).status == 202)
    #expect(holds(within: 30) { mail.texts(to: address).count == 4 })
    // The resets are deleted with the account.
    #expect(try client.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status == 204)
    #expect(try waiting(address) == (0, 0))

    let limited = try LiveServer(
      Self.settings(port: mail.port).merging(["RATE_LIMIT_PASSWORD_RESET": "2/3600"]) { $1 })
    defer { limited.stop() }
    let stranger = Client(limited)
    let replies = try (1...3).map { try stranger.post("/api/password-resets", #"{"email":"\#($0)@example.org"}"#) }
    #expect(replies.map(\.status) == [202, 202, 429])
    #expect(replies.last?.header("retry-after") != nil)
  }

  @Test("still causes a mail after an outage of the mail server, whose password is never logged")
  func outage() throws {
    let port = try MailServer().port
    let away = try LiveServer(
      Self.settings(port: port).merging([
        "SMTP_URL": "smtp://garden:hush-hush@127.0.0.1:\(port)", "SMTP_STARTTLS": "required",
      ]) { $1 })
    let (_, id) = try away.signedIn()
    #expect(try Client(away).post("/api/password-resets", #"{"email":"\#(id)@example.org"}"#).status == 202)
    #expect(away.log.line("A password reset was not mailed") != nil)
    #expect(!away.log.lines.contains { $0.contains("hush") || $0.contains("tpr_") })
    away.stop()

    let back = try MailServer(port: port)
    let server = try LiveServer(Self.settings(port: port).merging(["DATABASE_URL": away.databaseURL]) { $1 })
    defer { server.stop() }
    try server.withDatabase { try await $0.execute("UPDATE password_resets SET next_attempt_at = now()") }
    let token = try token(id, of: back)
    let reply = try Client(server).post("/api/password-resets/\(token)", #"{"password":"\#(Self.newPassword)"}"#)
    #expect(reply.status == 204)
    #expect(back.messages.count == 1)
  }

  @Test("cannot be replaced on a server that sends no mail")
  func unconfigured() throws {
    let stranger = Client(try LiveServer.shared.get())
    for (path, body) in [("", #"{"email":"a@example.org"}"#), ("/tpr_x", #"{"password":"\#(Self.newPassword)"}"#)] {
      let reply = try stranger.post("/api/password-resets\(path)", body)
      #expect(reply.status == 501 && reply.problem == "not-implemented")
      #expect(try reply.json["detail"]?.text == "This server sends no mail. Its operator can give you a new password.")
    }
  }
}
