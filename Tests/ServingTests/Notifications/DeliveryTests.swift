import Glibc
import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Gardens
@testable import Notifications
@testable import Secrets

/// To real receivers on the loopback, which the operator of these servers allows.
@Suite("News", .blocking, .serialized)
struct DeliveryTests {
  private static let setUp = Result {
    let mail = try MailServer()
    let server = try LiveServer(settings(mail).merging(["INSIGHTS_INTERVAL_SECONDS": "1"]) { $1 })
    return (mail: mail, server: server)
  }
  private let mail: MailServer
  private let server: LiveServer
  private let receiver: ModelServer

  init() throws {
    (mail, server) = try Self.setUp.get()
    receiver = try ModelServer()
    receiver.script(Array(repeating: .json(200, "{}"), count: 100))
  }

  private static func settings(_ mail: MailServer) -> [String: String] {
    mail.settings.merging(["NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8"]) { $1 }
  }

  /// A channel to the receiver, or to an address.
  private func channel(
    _ client: Client, _ kind: String = "webhook", to target: String? = nil,
    events: String = #"["insight","device","order"]"#,
    _ more: String = ""
  ) throws -> JSONValue {
    let target = target ?? "http://127.0.0.1:\(receiver.port)/\(kind)"
    let reply = try client.post(
      "/api/channels", #"{"kind":"\#(kind)","target":"\#(target)","events":\#(events)\#(more)}"#)
    #expect(reply.status == 201, "\(reply.text)")
    if kind == "email" { try agree(to: try reply.json, client) }
    return try reply.json
  }

  /// Confirms a channel's address by the code that was mailed there.
  private func agree(to channel: JSONValue, _ client: Client) throws {
    let address = try #require(channel["target"]?.text)
    #expect(holds(within: 30) { !mail.texts(to: address).isEmpty })
    let code = try #require(mail.texts(to: address).first?.firstMatch(of: /(?:[0-9a-f]{4}-){2}[0-9a-f]{4}/)).output
    #expect(try client.post("\(path(channel))/confirmation", #"{"code":"\#(code)"}"#).status == 200)
  }

  private func path(_ channel: JSONValue) throws -> String { "/api/channels/\(try #require(channel["id"]?.text))" }

  private func received(_ kind: String = "webhook") -> [ModelServer.Received] {
    receiver.received.filter { $0.line.hasPrefix("POST /\(kind) ") }
  }

  /// A garden in which it is evening and already below zero.
  private func freezingGarden(_ owner: Identifier) throws {
    let plot = try Plot(server, owner: owner)
    let hour = Double(Clock.unixMilliseconds() % 86_400_000) / 3_600_000
    let longitude = ((22 - hour) * 15 + 540).truncatingRemainder(dividingBy: 360) - 180
    try server.withDatabase { database in
      try await database.execute("UPDATE gardens SET longitude = \(longitude) WHERE id = \(plot.garden)")
    }
    let hours = (0...144).map { Double($0) / 6 }
    try plot.record("air_humidity", hours.map { ($0, 70) })
    try plot.record("air_temperature", hours.map { ($0, $0 < 8 ? -3 + $0 * 0.8 : 4) })
  }

  @Test("of frost reaches a webhook, a topic and a mailbox within seconds, signed, once, and in quiet hours nothing")
  func frost() throws {
    let (client, id) = try server.signedIn()
    let webhook = try channel(client)
    _ = try channel(client, "ntfy")
    let address = "\(id)@example.org"
    _ = try channel(client, "email", to: address)
    let quiet = try server.signedIn()
    let silent = try channel(
      quiet.client, "webhook", to: "http://127.0.0.1:\(receiver.port)/quiet",
      #","quietHours":{"from":"\#(hour(-2))","to":"\#(hour(2))"}"#)
    try freezingGarden(quiet.id)
    try freezingGarden(id)
    // The first one asked the address to agree.
    var mails: [JSONValue] { Array(mail.messages.filter { $0["to"]?.text == address }.dropFirst()) }
    let insights = "SELECT 1 FROM insights JOIN gardens ON gardens.id = garden_id WHERE type = 'frost' AND owner_id = "
    #expect(
      try holds(within: 60) {
        try server.withDatabase { try await !$0.query("\(unescaped: insights) \(id)").isEmpty }
      })
    // The pass may find more than frost in readings that begin a day ago.
    var frosts: [ModelServer.Received] { received().filter { (try? $0.json["data"]?["type"]?.text) == "frost" } }
    func arrived(_ count: Int) -> Bool {
      !frosts.isEmpty && received().count == count && received("ntfy").count == count && mails.count == count
    }
    #expect(try holds { arrived(try warnings(of: id)) })

    let request = try #require(frosts.first)
    let secret = try #require(webhook["secret"]?.text)
    let key = try #require(Base64.standard.decode(secret.dropFirst(6).prefix { $0 != "=" }))
    let (messageID, time) = (
      request.headers["webhook-id"] ?? "", Int64(request.headers["webhook-timestamp"] ?? "") ?? 0
    )
    #expect(
      request.headers["webhook-signature"]
        == WebhookSecret(key: key).signature(id: messageID, unixSeconds: time, body: request.body))
    #expect(try request.json["type"]?.text == "insight.created")
    #expect(try request.json["data"]?["type"]?.text == "frost")
    let push = try #require(received("ntfy").first { $0.headers["title"]?.contains("Frost") == true })
    #expect(push.headers["priority"] == "4")
    #expect(try #require(mails.first)["from"]?.text == "garden@example.org")
    #expect(mails.first?["data"]?.text?.contains("Auto-Submitted: auto-generated") == true)

    // Some more passes and polls say nothing again.
    let passes = try server.passes()
    #expect(try holds(within: 60) { try server.passes() > passes + 2 })
    #expect(frosts.count == 1)
    #expect(arrived(try warnings(of: id)))
    #expect(try holds { try Set(deliveries(client, webhook).map { $0.1 }) == ["delivered"] })
    #expect(
      try holds(within: 60) {
        try server.withDatabase { try await !$0.query("\(unescaped: insights) \(quiet.id)").isEmpty }
      })
    #expect(received("quiet").isEmpty)
    #expect(try Set(deliveries(quiet.client, silent).map { $0.1 }) == ["pending"])
    try quiet.client.patch(try path(silent), #"{"quietHours":null}"#)
    #expect(try holds { received("quiet").count == (try warnings(of: quiet.id)) })
  }

  /// How many insights a user's channels are told of, that want all from `notice` on.
  private func warnings(of user: Identifier) throws -> Int {
    try server.withDatabase { database in
      let rows = try await database.query(
        """
        SELECT count(*) FROM insights JOIN gardens ON gardens.id = garden_id
        WHERE owner_id = \(user) AND severity <> 'info'
        """)
      return try rows[0].decode(Int.self, 0)
    }
  }

  /// The time of day so many hours from now, in UTC.
  private func hour(_ hours: Int64) -> String {
    String(
      Timestamp(unixMilliseconds: Clock.unixMilliseconds() + hours * 3_600_000).description.dropFirst(11).prefix(5))
  }

  /// What is listed of a channel, the newest first: type and status.
  private func deliveries(_ client: Client, _ channel: JSONValue) throws -> [(String, String)] {
    try (client.get("\(path(channel))/deliveries").json["items"]?.elements ?? []).map {
      ($0["type"]?.text ?? "", $0["status"]?.text ?? "")
    }
  }

  @Test("of orders goes to the other side, in order, and is tried again until it is taken")
  func orders() throws {
    let shop = try Shop(server)
    let product = try shop.offer("Carrots “Nantes”")
    let (buyer, _) = try server.signedIn()
    let seller = try channel(shop.owner, to: "http://127.0.0.1:\(receiver.port)/seller", events: #"["order"]"#)
    _ = try channel(buyer, to: "http://127.0.0.1:\(receiver.port)/buyer", events: #"["order"]"#)
    // The first attempt fails; the second message waits behind the first.
    receiver.script([.json(500, "{}")] + Array(repeating: .json(200, "{}"), count: 20))
    let order = try #require(try buyer.order(shop.id, [(product, 2)]).json["id"]?.text)
    #expect(holds(within: 20) { received("seller").count == 1 })
    #expect(try buyer.order(shop.id, [(product, 1)]).status == 201)
    #expect(holds(within: 30) { received("seller").count == 3 })
    let ids = received("seller").map { $0.headers["webhook-id"] }
    #expect(ids.count == 3 && ids.first == ids.dropFirst().first && ids.first != ids.last)
    #expect(try received("seller").map { try $0.json["type"]?.text } == Array(repeating: "order.placed", count: 3))
    #expect(try received("seller").first?.json["data"]?["id"]?.text == order)
    #expect(received("buyer").isEmpty)

    #expect(try shop.owner.post("/api/orders/\(order)/transitions", #"{"to":"paid"}"#).status == 200)
    #expect(holds(within: 20) { received("buyer").count == 1 })
    #expect(try received("buyer").first?.json["data"]?["status"]?.text == "paid")
    let listed = try shop.owner.get("\(path(seller))/deliveries").json["items"]?.elements
    #expect(listed?.map { $0["attempts"]?.integer } == [1, 2])
  }

  @Test("of a device's silence, and of its return, is told once")
  func devices() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    #expect(try client.patch("/api/devices/\(plot.device)", #"{"timeZone":"Asia/Tokyo"}"#).status == 200)
    let told = try channel(client, events: #"["device"]"#)
    func see(minutesAgo minutes: Int) throws {
      try server.withDatabase { database in
        try await database.execute(
          """
          UPDATE devices SET last_seen_at = now() - make_interval(mins => \(minutes)::integer), silence_due_at = now()
          WHERE id = \(plot.device)
          """)
      }
    }
    try see(minutesAgo: 20)
    #expect(holds(within: 60) { received().count == 1 })
    let message = try #require(received().first).json
    #expect(message["type"]?.text == "device.silent")
    #expect(message["data"]?["name"]?.text == "North bed")
    let text = try server.withDatabase { database in
      try await database.query("SELECT text FROM deliveries WHERE data ->> 'id' = \("\(plot.device)")")[0].decode(
        String.self, 0)
    }
    #expect(text.hasSuffix("(Asia/Tokyo)."))
    try see(minutesAgo: 0)
    #expect(holds(within: 60) { received().count == 2 })
    #expect(try received().last?.json["type"]?.text == "device.back")
    #expect(try deliveries(client, told).map { $0.0 } == ["device.back", "device.silent"])
  }

  @Test("of many devices that fall silent at once is of each of them, in several short transactions")
  func manyDevices() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let told = try channel(client, events: #"["device"]"#)
    let count = 2 * DeviceWatch.newsPerRun + 5
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO devices (id, garden_id, name, key_hash, last_seen_at, created_at, updated_at)
        SELECT gen_random_uuid(), \(plot.garden), 'Probe ' || n, sha256(gen_random_uuid()::text::bytea),
          now() - interval '20 minutes', now(), now()
        FROM generate_series(1, \(count)) n
        """)
    }
    let channelID = try #require(told["id"]?.text.flatMap { Identifier($0) })
    func news(_ counted: SQL) throws -> Int {
      try server.withDatabase { database in
        try await database.query(
          "SELECT count(\(counted)) FROM deliveries WHERE channel_id = \(channelID) AND type = 'device.silent'"
        )[0].decode(Int.self, 0)
      }
    }
    #expect(try holds { try news("*") == count })
    #expect(try news("DISTINCT data ->> 'id'") == count)
    #expect(try news("DISTINCT created_at") >= 3)
  }

  @Test("is gathered for a digest until its time is over")
  func digest() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let (buyer, _) = try server.signedIn()
    let gathered = try channel(shop.owner, events: #"["order"]"#, #","digest":"hourly""#)
    for _ in 0..<3 { #expect(try buyer.order(shop.id, [(product, 1)]).status == 201) }
    // A test goes at once, and nothing else with it.
    #expect(try shop.owner.send("POST", "\(path(gathered))/test").status == 202)
    #expect(holds(within: 20) { received().count == 1 })
    #expect(try received().first?.json["type"]?.text == "channel.test")
    let id = try #require(gathered["id"]?.text.flatMap { Identifier($0) })
    try server.withDatabase { database in
      try await database.execute(
        "UPDATE deliveries SET created_at = created_at - interval '61 minutes' WHERE channel_id = \(id)")
    }
    #expect(holds(within: 20) { received().count == 2 })
    #expect(try received().last?.json["type"]?.text == "digest")
    #expect(try received().last?.json["data"]?["items"]?.elements?.count == 3)
  }

  @Test(
    "stops for a channel that has failed for three days, which the others are told, and is sent to no forbidden address"
  )
  func failing() throws {
    let (client, _) = try server.signedIn()
    let bad = try channel(client, to: "http://127.0.0.1:\(receiver.port)/bad")
    _ = try channel(client, to: "http://127.0.0.1:\(receiver.port)/good", events: #"["device"]"#)
    let channelID = try #require(bad["id"]?.text.flatMap { Identifier($0) })
    try server.withDatabase { database in
      // As if its name had come to mean another address since.
      try await database.execute(
        """
        UPDATE channels SET target = 'http://169.254.169.254/', failing_since = now() - interval '73 hours', failures = 99
        WHERE id = \(channelID)
        """)
    }
    #expect(try client.send("POST", "\(path(bad))/test").status == 202)
    #expect(try holds(within: 20) { try client.get(path(bad)).json["enabled"]?.bool == false })
    let shown = try client.get(path(bad)).json
    #expect(shown["disabledBecause"]?.text?.contains("its address is not allowed") == true)
    #expect(try deliveries(client, bad).map { $0.1 } == ["dropped"])
    #expect(holds(within: 20) { received("good").count == 1 })
    #expect(try received("good").first?.json["type"]?.text == "channel.disabled")
    #expect(try client.send("POST", "\(path(bad))/test").status == 409)
    #expect(try client.patch(path(bad), #"{"enabled":true}"#).json["disabledAt"] == .null)
  }

  @Test("that fails to arrive leaves a channel off that its owner switches off meanwhile")
  func switchedOff() throws {
    let (client, _) = try server.signedIn()
    let told = try channel(client)
    receiver.script([.slow(4, "{}", status: 500)])
    #expect(try client.send("POST", "\(path(told))/test").status == 202)
    #expect(holds { received().count == 1 })
    #expect(try client.patch(path(told), #"{"enabled":false}"#).status == 200)
    // What becomes of the channel is written with the attempt.
    #expect(
      try holds {
        try client.get("\(path(told))/deliveries").json["items"]?.elements?.first?["attempts"]?.integer == 1
      })
    let shown = try client.get(path(told)).json
    #expect(shown["enabled"]?.bool == false && shown["disabledBecause"]?.text == nil)
  }

  @Test("goes to a channel's new target although the old one says meanwhile that it wants no more")
  func moved() throws {
    let (client, _) = try server.signedIn()
    let told = try channel(client, to: "http://127.0.0.1:\(receiver.port)/old")
    receiver.script([.slow(8, "{}", status: 410), .json(200, "{}")])
    #expect(try client.send("POST", "\(path(told))/test").status == 202)
    #expect(holds { received("old").count == 1 })
    let target = #"{"target":"http://127.0.0.1:\#(receiver.port)/new"}"#
    #expect(try client.patch(path(told), target).status == 200)
    #expect(holds { received("new").count == 1 })
    #expect(try client.get(path(told)).json["enabled"]?.bool == true)
  }

  @Test("goes to each channel in its turn: one that had its own stands behind those that wait")
  func turns() throws {
    let idle = try LiveServer(Self.settings(mail).merging(["NOTIFICATIONS": "off"]) { $1 })
    defer { idle.stop() }
    let (client, _) = try idle.signedIn()
    let ids = try (0..<3).map { _ in
      let told = try channel(client)
      #expect(try client.send("POST", "\(path(told))/test").status == 202)
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

  @Test("by email can be ended where no mail is sent any more, and goes to no other address then")
  func mailless() throws {
    let (client, id) = try server.signedIn()
    let told = try channel(client, "email", to: "\(id)@example.org")
    let replica = try server.replica(["NOTIFICATIONS": "off"])
    defer { replica.stop() }
    let there = Client(replica, token: client.token)
    #expect(try there.patch(path(told), #"{"target":"\#(id)@example.net"}"#).pointers == ["/kind"])
    let ended = try there.patch(path(told), #"{"enabled":false}"#)
    #expect(try ended.status == 200 && ended.json["enabled"]?.bool == false)
  }

  @Test("of orders that was kept holds nothing of a buyer who was erased")
  func erased() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let told = try #require(try channel(shop.owner, events: #"["order"]"#)["id"]?.text.flatMap { Identifier($0) })
    let (buyer, id) = try server.signedIn()
    let lines = #""lines":[{"productId":"\#(product)","quantity":1}]"#
    let members = #""note":"Ring twice","contact":{"name":"Grace","phone":"0123"}"#
    let made = try buyer.post(
      "/api/orders", #"{"businessId":"\#(shop.id)",\#(lines),\#(members)}"#, headers: ["Idempotency-Key: \(id)"])
    let order = try #require(made.header("location"))
    #expect(holds { received().count == 1 })
    #expect(try received().first?.json["data"]?["contact"]?["name"]?.text == "Grace")
    #expect(try buyer.post("\(order)/transitions", #"{"to":"cancelled"}"#).status == 200)
    #expect(try buyer.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status == 204)
    let kept = try server.withDatabase { database in
      try await database.query("SELECT data::text FROM deliveries WHERE channel_id = \(told)").map {
        try $0.decode(String.self, 0)
      }
    }
    #expect(kept.count == 2)
    for text in ["Grace", "Ring twice", "0123", "\(id)"] { #expect(!kept.contains { $0.contains(text) }, "\(text)") }
  }

  @Test("is delivered by another replica when the one that was about to is killed")
  func killed() throws {
    let database = try TestDatabase.make()
    let settings = Self.settings(mail).merging(["DATABASE_URL": database]) { $1 }
    let first = try ServerProcess(["serve"], settings)
    _ = try first.port()
    // It begins to deliver and never hears an answer.
    receiver.script([.slow(30, "{}")] + Array(repeating: .json(200, "{}"), count: 10))
    let second = try LiveServer(settings.merging(["NOTIFICATIONS": "off"]) { $1 })
    defer { second.stop() }
    let (client, _) = try second.signedIn()
    let hooked = try channel(client)
    #expect(try client.send("POST", "\(path(hooked))/test").status == 202)
    #expect(holds(within: 30) { received().count == 1 })
    first.signal(SIGKILL)
    _ = first.wait()
    let third = try LiveServer(settings)
    defer { third.stop() }
    #expect(holds(within: 60) { received().count == 2 })
    #expect(Set(received().map { $0.headers["webhook-id"] }).count == 1)
    let owner = Client(third, token: client.token)
    #expect(try holds(within: 20) { try deliveries(owner, hooked).map { $0.1 } == ["delivered"] })
  }
}
