import JSON
import Postgres
import Testing
import Values

@Suite("News that waits", .blocking)
struct WaitingNewsTests {
  private static let opened = Result { try Newsroom.open() }
  private let news: Newsroom

  init() throws { news = try Self.opened.get().fresh() }

  /// Puts news into a channel, all at once; each was written `written` hours ago and could first go `due` hours ago.
  private func put(_ rows: [(title: String, written: Int, due: Int)], into channel: JSONValue) throws {
    let channel = try #require(channel["id"]?.text.flatMap { Identifier($0) })
    try news.server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at, due_at)
        SELECT gen_random_uuid(), \(channel), 'order', 'order.placed', 'notice', title, title, '{}',
          now() - make_interval(hours => written::integer), now() - make_interval(hours => due::integer)
        FROM unnest(\(rows.map(\.title)), \(rows.map(\.written)), \(rows.map(\.due))) AS put (title, written, due)
        """)
    }
  }

  @Test("is given up a day after it could first be sent, or two days after it was written")
  func old() throws {
    let (client, _) = try news.server.signedIn()
    let told = try news.channel(client)
    try put([("timely", 47, 23), ("overdue", 47, 25), ("old", 49, 23)], into: told)
    func states() throws -> [String?: String?] {
      let items = try client.get("\(news.path(told))/deliveries").items
      return Dictionary(uniqueKeysWithValues: items.map { ($0["title"]?.text, $0["status"]?.text) })
    }
    #expect(try holds { try states() == ["timely": "delivered", "overdue": "expired", "old": "expired"] })
    #expect(Set(news.received().map { $0.headers["webhook-id"] }).count == 1)
  }

  @Test("for a digest is due with that digest, not with what is sent before it")
  func gathered() throws {
    let (client, _) = try news.server.signedIn()
    let told = try news.channel(client, events: #"["order"]"#, #","digest":"daily""#)
    let channel = try #require(told["id"]?.text.flatMap { Identifier($0) })
    // The 51 items of a long day, and a warning that another channel is switched off.
    try news.server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at)
        SELECT (lpad(to_hex(number), 8, '0') || right(gen_random_uuid()::text, 28))::uuid, \(channel),
          CASE number WHEN 0 THEN 'channel' ELSE 'order' END, 'any',
          CASE number WHEN 0 THEN 'warning' ELSE 'notice' END, 'Title', 'Text', '{}', now()
        FROM generate_series(0, 51) AS put (number)
        """)
    }
    /// How many items have not been due yet.
    func waiting() throws -> Int64 {
      try news.server.withDatabase { database in
        try await database.query(
          "SELECT count(*) FROM deliveries WHERE channel_id = \(channel) AND status = 'pending' AND due_at IS NULL")[0]
          .decode(Int64.self, 0)
      }
    }
    #expect(holds(within: 20) { news.received().count == 1 })
    #expect(try waiting() == 51)
    try news.server.withDatabase { database in
      try await database.execute(
        """
        UPDATE deliveries SET created_at = now() - interval '25 hours'
        WHERE id = (SELECT id FROM deliveries WHERE channel_id = \(channel) AND event = 'order' ORDER BY id LIMIT 1)
        """)
    }
    #expect(holds(within: 20) { news.received().count == 2 })
    #expect(try news.received().last?.json["data"]?["items"]?.elements?.count == 50)
    #expect(try waiting() == 1)
  }

  @Test("for a digest that was sent before, without it, makes it another message, even if it is not the newest")
  func latecomer() throws {
    let (client, _) = try news.server.signedIn()
    let told = try news.channel(client, events: #"["order"]"#, #","digest":"daily""#)
    let channel = try #require(told["id"]?.text.flatMap { Identifier($0) })
    func put(_ numbers: [Int32]) throws {
      try news.server.withDatabase { database in
        try await database.execute(
          """
          INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at)
          SELECT (lpad(to_hex(number), 8, '0') || right(gen_random_uuid()::text, 28))::uuid, \(channel), 'order', 'any',
            'notice', 'Title', 'Text', '{}', now() - interval '25 hours'
          FROM unnest(\(numbers)) AS put (number)
          """)
      }
    }
    // All attempts fail.
    news.receiver.script([])
    try put([1, 3])
    #expect(holds(within: 20) { news.received().count > 0 })
    try put([2])
    /// The ids of the messages with so many items.
    func ids(of items: Int) throws -> Set<String?> {
      Set(
        try news.received().filter { try $0.json["data"]?["items"]?.elements?.count == items }
          .map { $0.headers["webhook-id"] })
    }
    #expect(try holds(within: 60) { try !ids(of: 3).isEmpty })
    #expect(try ids(of: 2).count == 1 && ids(of: 3).count == 1)
    #expect(try ids(of: 2) != ids(of: 3))
  }

  @Test("keeps waiting while the account of its channel is disabled")
  func disabled() throws {
    let ((client, id), (other, _)) = (try news.server.signedIn(), try news.server.signedIn())
    let (held, open) = (
      try news.channel(client, to: news.url("held")), try news.channel(other, to: news.url("open"))
    )
    func disable(_ isDisabled: Bool) throws {
      try news.server.withDatabase { database in
        try await database.execute("UPDATE users SET disabled = \(isDisabled) WHERE id = \(id)")
      }
    }
    try disable(true)
    try put([("held", 0, 0)], into: held)
    // News that came later for another user has been sent, in two turns.
    for count in 1...2 {
      try put([("open", 0, 0)], into: open)
      #expect(holds { news.received("open").count >= count })
    }
    #expect(news.received("held").isEmpty)
    try disable(false)
    #expect(holds { news.received("held").count == 1 })
  }
}
