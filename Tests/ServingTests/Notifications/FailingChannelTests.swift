import JSON
import Postgres
import Testing
import Values

@Suite("A channel that fails", .blocking)
struct FailingChannelTests {
  private static let mail = Result { try MailServer() }

  private static func settings(_ sender: String = "garden@example.org") throws -> [String: String] {
    try mail.get().settings.merging(["SMTP_FROM": sender]) { $1 }
  }

  /// A channel after one more attempt, and the delivery of that attempt, as its owner sees them.
  private struct Tried {
    let channel: JSONValue
    let delivery: JSONValue

    /// Makes a channel of `kind` that has failed `failures` times, for `hours`, and waits for one more attempt.
    init(_ server: LiveServer, _ kind: String, to target: String, failures: Int = 0, hours: Int = 0) throws {
      let (client, _) = try server.signedIn()
      let made = try client.post(
        "/api/channels", #"{"kind":"webhook","target":"https://203.0.113.7/","events":["order"]}"#)
      let path = try #require(made.header("location"))
      let id = try #require(try made.json["id"]?.text.flatMap { Identifier($0) })
      try server.withDatabase { database in
        try await database.execute("UPDATE channels SET kind = \(kind), target = \(target) WHERE id = \(id)")
        guard failures > 0 else { return }
        try await database.execute(
          """
          UPDATE channels SET failures = \(failures)::integer,
            failing_since = now() - make_interval(hours => \(hours)::integer)
          WHERE id = \(id)
          """)
      }
      #expect(try client.send("POST", "\(path)/test").status == 202)
      var delivery: JSONValue?
      #expect(
        try holds(within: 60) {
          delivery = try client.get("\(path)/deliveries").json["items"]?.elements?.first
          return delivery?["attempts"]?.integer == 1
        })
      self.delivery = try #require(delivery)
      channel = try client.get(path).json
    }
  }

  @Test(
    "stays on while the operator's mail server is down, refuses the sender, or is no longer configured",
    arguments: ["down", "sender", "none"])
  func outage(_ fault: String) throws {
    var settings: [String: String] = [:]
    switch fault {
    case "down":
      settings = try Self.settings()
      settings["SMTP_URL"] = "smtp://127.0.0.1:1"
    case "sender": settings = try Self.settings("refused@example.org")
    default: break
    }
    let server = try LiveServer(settings)
    defer { server.stop() }
    let fresh = try Tried(server, "email", to: "ada@example.org")
    #expect(fresh.channel["failingSince"] == JSONValue.null)
    let failing = try Tried(server, "email", to: "ada@example.org", failures: 99, hours: 73)
    #expect(failing.channel["enabled"]?.bool == true)
    #expect(failing.delivery["status"]?.text == "pending")
  }

  @Test(
    "stays on while the mail server defers its mail, which is soon retried, and does not keep others waiting",
    arguments: ["busy", "full", "greylisted"])
  func putOff(_ name: String) throws {
    let server = try LiveServer(Self.settings())
    defer { server.stop() }
    let fresh = try Tried(server, "email", to: "\(name)@example.org")
    #expect(fresh.channel["failingSince"] == JSONValue.null && fresh.delivery["status"]?.text == "pending")
    let failing = try Tried(server, "email", to: "\(name)@example.org", failures: 99, hours: 73)
    #expect(failing.channel["enabled"]?.bool == true && failing.delivery["status"]?.text == "pending")
    #expect(try Tried(server, "email", to: "ada@example.org").delivery["status"]?.text == "delivered")
    /// The pauses until the next attempt of each delivery, in seconds.
    func pauses() throws -> [Double] {
      try server.withDatabase { database in
        try await database.query(
          """
          SELECT extract(epoch FROM next_attempt_at - attempted_at)::float8
          FROM channels JOIN deliveries ON channel_id = channels.id WHERE status = 'pending'
          """
        ).map { try $0.decode(Double.self, 0) }
      }
    }
    #expect(try pauses().allSatisfy { (48...73).contains($0) })
    try server.withDatabase { database in
      try await database.execute("UPDATE deliveries SET attempts = 100 WHERE status = 'pending'")
      try await database.execute("UPDATE channels SET next_attempt_at = now()")
    }
    #expect(try holds { try pauses().allSatisfy { (480...721).contains($0) } })
  }

  @Test("is switched off after three days of attempts, but not for one attempt after days without any")
  func days() throws {
    let server = try LiveServer.shared.get()
    // An address to which no call is allowed.
    let forbidden = "http://169.254.169.254/"
    let rare = try Tried(server, "ntfy", to: forbidden, failures: 30, hours: 100)
    #expect(rare.channel["enabled"]?.bool == true && rare.channel["failingSince"]?.text != nil)
    #expect(rare.delivery["status"]?.text == "pending")
    let young = try Tried(server, "ntfy", to: forbidden, failures: 99, hours: 71)
    #expect(young.channel["enabled"]?.bool == true)
    let failing = try Tried(server, "ntfy", to: forbidden, failures: 60, hours: 73)
    #expect(failing.channel["enabled"]?.bool == false)
    #expect(failing.delivery["status"]?.text == "dropped")
  }

  @Test("is also one whose address or mail the mail server refuses", arguments: ["refused", "unread", "unwanted"])
  func refusal(_ name: String) throws {
    let server = try LiveServer(Self.settings())
    defer { server.stop() }
    #expect(try Tried(server, "email", to: "\(name)@example.org").channel["failingSince"]?.text != nil)
    let failing = try Tried(server, "email", to: "\(name)@example.org", failures: 99, hours: 73)
    #expect(failing.channel["enabled"]?.bool == false)
    #expect(failing.delivery["status"]?.text == "dropped")
  }
}
