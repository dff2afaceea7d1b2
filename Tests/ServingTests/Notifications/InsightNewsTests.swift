import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Notifications
@testable import Secrets

@Suite("News of an insight", .blocking, .serialized)
struct InsightNewsTests {
  private static let opened = Result { try Newsroom.open() }
  private let news: Newsroom

  init() throws { news = try Self.opened.get().fresh() }

  /// The longitude at which it is ten in the evening by the sun, in degrees east.
  private static var longitudeOfEvening: Double {
    let hour = Double(Clock.unixMilliseconds() % 86_400_000) / 3_600_000
    return ((22 - hour) * 15 + 540).truncatingRemainder(dividingBy: 360) - 180
  }

  /// Makes a garden in which it is evening and already below zero.
  private func freezingGarden(_ owner: Identifier) throws {
    let plot = try Plot(news.server, owner: owner)
    let longitude = Self.longitudeOfEvening
    try news.server.withDatabase { database in
      try await database.execute("UPDATE gardens SET longitude = \(longitude) WHERE id = \(plot.garden)")
    }
    let hours = (0...144).map { Double($0) / 6 }
    try plot.record("air_humidity", hours.map { ($0, 70) })
    try plot.record("air_temperature", hours.map { ($0, $0 < 8 ? -3 + $0 * 0.8 : 4) })
  }

  @Test("reaches a signed webhook, a topic and a mailbox once, and waits during quiet hours")
  func frost() throws {
    let (client, id) = try news.server.signedIn()
    let webhook = try news.channel(client)
    _ = try news.channel(client, "ntfy")
    let address = "\(id)@example.org"
    _ = try news.channel(client, "email", to: address)
    let quiet = try news.server.signedIn()
    let silent = try news.channel(
      quiet.client, "webhook", to: news.url("quiet"),
      #","quietHours":{"from":"\#(hour(-2))","to":"\#(hour(2))"}"#)
    try freezingGarden(quiet.id)
    try freezingGarden(id)
    // Without the first mail, which asked to confirm the address.
    var mails: [JSONValue] { Array(news.mail.messages.filter { $0["to"]?.text == address }.dropFirst()) }
    let insights = "SELECT 1 FROM insights JOIN gardens ON gardens.id = garden_id WHERE type = 'frost' AND owner_id = "
    #expect(
      try holds(within: 60) {
        try news.server.withDatabase { try await !$0.query("\(unescaped: insights) \(id)").isEmpty }
      })
    // The pass may find more than frost in readings that begin a day ago.
    var frosts: [ModelServer.Received] { news.received().filter { (try? $0.json["data"]?["type"]?.text) == "frost" } }
    func arrived(_ count: Int) -> Bool {
      !frosts.isEmpty && news.received().count == count && news.received("ntfy").count == count && mails.count == count
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
    let morning = Clock.unixMilliseconds() + Int64((10 + Self.longitudeOfEvening / 15) * 3_600_000)
    let day = Timestamp(unixMilliseconds: morning).description.prefix(10)
    let title = MailText.words("Kitchen garden: Frost in the night to \(day)").joined(separator: " ")
    let push = try #require(news.received("ntfy").first { $0.headers["title"] == title })
    #expect(push.headers["priority"] == "4")
    #expect(try #require(mails.first)["from"]?.text == "garden@example.org")
    #expect(mails.first?["data"]?.text?.contains("Auto-Submitted: auto-generated") == true)

    // Further passes and polls send nothing twice.
    let passes = try news.server.passes()
    #expect(try holds(within: 60) { try news.server.passes() > passes + 2 })
    #expect(frosts.count == 1)
    #expect(arrived(try warnings(of: id)))
    #expect(try holds { try Set(news.deliveries(client, webhook).map { $0.1 }) == ["delivered"] })
    #expect(
      try holds(within: 60) {
        try news.server.withDatabase { try await !$0.query("\(unescaped: insights) \(quiet.id)").isEmpty }
      })
    #expect(news.received("quiet").isEmpty)
    #expect(try Set(news.deliveries(quiet.client, silent).map { $0.1 }) == ["pending"])
    try quiet.client.patch(try news.path(silent), #"{"quietHours":null}"#)
    #expect(try holds { news.received("quiet").count == (try warnings(of: quiet.id)) })
  }

  @Test("about a night that is over when the quiet hours end expires")
  func over() throws {
    let (client, id) = try news.server.signedIn()
    let told = try news.channel(
      client, events: #"["insight"]"#, #","quietHours":{"from":"\#(hour(-2))","to":"\#(hour(2))"}"#)
    try freezingGarden(id)
    func frost() throws -> JSONValue? {
      try client.get("\(news.path(told))/deliveries").json["items"]?.elements?.first {
        $0["title"]?.text?.contains("Frost") == true
      }
    }
    #expect(try holds(within: 60) { try frost()?["status"]?.text == "pending" })
    let channel = try #require(told["id"]?.text.flatMap { Identifier($0) })
    // It is ten in the evening: eleven hours later the morning is over.
    try news.server.withDatabase { database in
      try await database.execute(
        "UPDATE deliveries SET expires_at = expires_at - interval '11 hours' WHERE channel_id = \(channel)")
    }
    #expect(try client.patch(news.path(told), #"{"quietHours":null}"#).status == 200)
    #expect(try holds { try frost()?["status"]?.text == "expired" })
    #expect(!news.received().contains { (try? $0.json["data"]?["type"]?.text) == "frost" })
  }

  /// The number of insights that are sent to a user's channels which want all from `notice` on.
  private func warnings(of user: Identifier) throws -> Int {
    try news.server.withDatabase { database in
      let rows = try await database.query(
        """
        SELECT count(*) FROM insights JOIN gardens ON gardens.id = garden_id
        WHERE owner_id = \(user) AND severity <> 'info'
        """)
      return try rows[0].decode(Int.self, 0)
    }
  }

  /// The time of day `hours` from now, in UTC.
  private func hour(_ hours: Int64) -> String {
    String(
      Timestamp(unixMilliseconds: Clock.unixMilliseconds() + hours * 3_600_000).description.dropFirst(11).prefix(5))
  }
}
