import Glibc
import JSON
import Postgres
import Testing
import Values

@testable import Notifications

@Suite("News", .blocking)
struct DeliveryTests {
  private static let opened = Result { try Newsroom.open() }
  private let news: Newsroom

  init() throws { news = try Self.opened.get().fresh() }

  @Test(
    "stops for a channel that has failed for three days, which others report, and goes to no forbidden address"
  )
  func failing() throws {
    let (client, _) = try news.server.signedIn()
    let bad = try news.channel(client, to: news.url("bad"))
    _ = try news.channel(client, to: news.url("good"), events: #"["device"]"#)
    let channelID = try #require(bad["id"]?.text.flatMap { Identifier($0) })
    try news.server.withDatabase { database in
      // As if its name had come to mean another address since.
      try await database.execute(
        """
        UPDATE channels SET target = 'http://169.254.169.254/', failing_since = now() - interval '73 hours', failures = 99
        WHERE id = \(channelID)
        """)
    }
    #expect(try client.send("POST", "\(news.path(bad))/test").status == 202)
    #expect(try holds(within: 20) { try client.get(news.path(bad)).json["enabled"]?.bool == false })
    let shown = try client.get(news.path(bad)).json
    #expect(shown["disabledBecause"]?.text?.contains("its address is not allowed") == true)
    #expect(try news.deliveries(client, bad).map { $0.1 } == ["dropped"])
    #expect(holds(within: 20) { news.received("good").count == 1 })
    #expect(try news.received("good").first?.json["type"]?.text == "channel.disabled")
    #expect(try client.send("POST", "\(news.path(bad))/test").status == 409)
    #expect(try client.patch(news.path(bad), #"{"enabled":true}"#).json["disabledAt"] == .null)
  }

  @Test("stops at once for a channel whose receiver answers 410, which others report")
  func gone() throws {
    let (client, _) = try news.server.signedIn()
    let bad = try news.channel(client, to: news.url("bad"))
    _ = try news.channel(client, to: news.url("good"))
    news.receiver.script([.json(410, "{}"), .json(200, "{}")])
    #expect(try client.send("POST", "\(news.path(bad))/test").status == 202)
    #expect(holds { news.received("good").count == 1 })
    #expect(try news.received("good").first?.json["type"]?.text == "channel.disabled")
    #expect(try client.get(news.path(bad)).json["enabled"]?.bool == false)
    #expect(try news.deliveries(client, bad).map { $0.1 } == ["dropped"])
    #expect(news.received("bad").count == 1)
  }

  @Test("of a channel that is switched off names its host alone: the path may be a secret")
  func place() throws {
    let (client, _) = try news.server.signedIn()
    let bad = try news.channel(client, to: news.url("hook/secret"))
    _ = try news.channel(client, "ntfy", to: news.url("topic"))
    news.receiver.script([.json(410, "{}"), .json(200, "{}")])
    #expect(try client.send("POST", "\(news.path(bad))/test").status == 202)
    #expect(holds(within: 20) { news.received("topic").count == 1 })
    let text = String(decoding: try #require(news.received("topic").first).body, as: UTF8.self)
    #expect(text == "Nothing arrived at the webhook channel to 127.0.0.1: answered with status 410.")
  }

  @Test("that fails to arrive does not switch a channel on again that its owner has switched off meanwhile")
  func switchedOff() throws {
    let (client, _) = try news.server.signedIn()
    let told = try news.channel(client)
    news.receiver.script([.slow(4, "{}", status: 500)])
    #expect(try client.send("POST", "\(news.path(told))/test").status == 202)
    #expect(holds { news.received().count == 1 })
    #expect(try client.patch(news.path(told), #"{"enabled":false}"#).status == 200)
    // The state of the channel is written together with the attempt.
    #expect(
      try holds {
        try client.get("\(news.path(told))/deliveries").json["items"]?.elements?.first?["attempts"]?.integer == 1
      })
    let shown = try client.get(news.path(told)).json
    #expect(shown["enabled"]?.bool == false && shown["disabledBecause"]?.text == nil)
  }

  @Test("goes to a channel's new target although the old one answers 410 meanwhile")
  func moved() throws {
    let (client, _) = try news.server.signedIn()
    let told = try news.channel(client, to: news.url("old"))
    news.receiver.script([.slow(8, "{}", status: 410), .json(200, "{}")])
    #expect(try client.send("POST", "\(news.path(told))/test").status == 202)
    #expect(holds { news.received("old").count == 1 })
    let target = #"{"target":"\#(news.url("new"))"}"#
    #expect(try client.patch(news.path(told), target).status == 200)
    #expect(holds { news.received("new").count == 1 })
    #expect(try client.get(news.path(told)).json["enabled"]?.bool == true)
  }

  @Test("goes to each channel in turn: one that was served queues behind those that wait")
  func turns() throws {
    let idle = try LiveServer(Newsroom.settings(news.mail).merging(["NOTIFICATIONS": "off"]) { $1 })
    defer { idle.stop() }
    let (client, _) = try idle.signedIn()
    let ids = try (0..<3).map { _ in
      let told = try news.channel(client)
      #expect(try client.send("POST", "\(news.path(told))/test").status == 202)
      return told["id"]?.text
    }
    let turns = try idle.withDatabase { database in
      var turns: [String?] = []
      for lease in (0..<6).map({ _ in Identifier.make(unixMilliseconds: 0) }) {
        let rows = try await database.write(Courier.claimFree, lease, 1, Courier.leaseSeconds)
        let id = try rows[0].decode(Identifier.self, 0)
        try await database.execute(Courier.release, id, lease, 0.0)
        turns.append("\(id)")
      }
      return turns
    }
    #expect(turns == ids + ids)
  }

  @Test("goes to a channel that was served while the clock was ahead, as soon as the clock is right again")
  func clockAhead() throws {
    let (client, _) = try news.server.signedIn()
    let told = try news.channel(client)
    let id = try #require(told["id"]?.text.flatMap { Identifier($0) })
    try news.server.withDatabase { database in
      try await database.execute(
        """
        UPDATE channels SET next_attempt_at = now() + interval '2 days', leased_until = now() + interval '2 days'
        WHERE id = \(id)
        """)
      // No test message, which ends a pause.
      try await database.execute(
        """
        INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at)
        VALUES (gen_random_uuid(), \(id), 'order', 'order.placed', 'notice', 'An order', 'An order', '{}', now())
        """)
    }
    #expect(holds(within: 20) { news.received().count == 1 })
    // The end of a lease is reset with it, so that no time from a wrong clock is left.
    #expect(
      try holds(within: 20) {
        try news.server.withDatabase { database in
          try await database.query(
            "SELECT lease IS NULL AND leased_until < now() - interval '1 day' FROM channels WHERE id = \(id)")[0]
            .decode(Bool.self, 0)
        }
      })
  }

  @Test("that is a test does not wait for the end of a pause after failures, nor does what waited before it")
  func testedInPause() throws {
    let (client, _) = try news.server.signedIn()
    let told = try news.channel(client)
    let id = try #require(told["id"]?.text.flatMap { Identifier($0) })
    try news.server.withDatabase { database in
      try await database.execute(
        """
        UPDATE channels SET failures = 6, failing_since = now() - interval '3 hours',
          next_attempt_at = now() + interval '1 hour'
        WHERE id = \(id)
        """)
      try await database.execute(
        """
        INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at)
        VALUES (gen_random_uuid(), \(id), 'order', 'order.placed', 'notice', 'An order', 'An order', '{}', now())
        """)
    }
    #expect(try client.send("POST", "\(news.path(told))/test").status == 202)
    #expect(holds(within: 20) { news.received().count == 2 })
    #expect(try news.received().map { try $0.json["type"]?.text } == ["channel.test", "order.placed"])
    #expect(try holds { try client.get(news.path(told)).json["failingSince"] == .null })
  }

  @Test("waits for the end of a pause and of a lease")
  func leased() throws {
    let idle = try LiveServer(Newsroom.settings(news.mail).merging(["NOTIFICATIONS": "off"]) { $1 })
    defer { idle.stop() }
    let (client, _) = try idle.signedIn()
    let told = try news.channel(client)
    #expect(try client.send("POST", "\(news.path(told))/test").status == 202)
    let claims = try idle.withDatabase { database in
      var claims: [Int] = []
      func claim(_ change: SQL) async throws {
        try await database.execute("UPDATE channels SET lease = NULL, \(change)")
        let lease = Identifier.make(unixMilliseconds: 0)
        claims.append(try await database.write(Courier.claimFree, lease, 1, Courier.leaseSeconds).count)
      }
      let lease = SQL(unescaped: "interval '\(Courier.leaseSeconds) s'")
      let pause = SQL(unescaped: "interval '\(Courier.longestPauseSeconds) s'")
      try await claim("next_attempt_at = now(), leased_until = now() + \(lease)")
      try await claim("next_attempt_at = now() + \(pause), leased_until = now()")
      try await claim("next_attempt_at = now(), leased_until = now()")
      return claims
    }
    #expect(claims == [0, 0, 1])
  }

  @Test("by email can be switched off where no mail is sent any more, but not moved to another address")
  func mailless() throws {
    let (client, id) = try news.server.signedIn()
    let told = try news.channel(client, "email", to: "\(id)@example.org")
    let replica = try news.server.replica(["NOTIFICATIONS": "off"])
    defer { replica.stop() }
    let there = Client(replica, token: client.token)
    #expect(try there.patch(news.path(told), #"{"target":"\#(id)@example.net"}"#).pointers == ["/kind"])
    let ended = try there.patch(news.path(told), #"{"enabled":false}"#)
    #expect(try ended.status == 200 && ended.json["enabled"]?.bool == false)
  }

  @Test("is delivered by another replica if the one that was delivering it is killed")
  func killed() throws {
    let database = try TestDatabase.make()
    let settings = Newsroom.settings(news.mail).merging(["DATABASE_URL": database]) { $1 }
    let first = try ServerProcess(["serve"], settings)
    _ = try first.port()
    // The first server begins to deliver and never gets an answer.
    news.receiver.script([.slow(30, "{}")] + Array(repeating: .json(200, "{}"), count: 10))
    let second = try LiveServer(settings.merging(["NOTIFICATIONS": "off"]) { $1 })
    defer { second.stop() }
    let (client, _) = try second.signedIn()
    let hooked = try news.channel(client)
    #expect(try client.send("POST", "\(news.path(hooked))/test").status == 202)
    #expect(holds(within: 30) { news.received().count == 1 })
    first.signal(SIGKILL)
    _ = first.wait()
    let third = try LiveServer(settings)
    defer { third.stop() }
    #expect(holds(within: 60) { news.received().count == 2 })
    #expect(Set(news.received().map { $0.headers["webhook-id"] }).count == 1)
    let owner = Client(third, token: client.token)
    #expect(try holds(within: 20) { try news.deliveries(owner, hooked).map { $0.1 } == ["delivered"] })
  }
}
