import JSON
import Postgres
import Testing
import Values

@Suite("News of orders", .blocking, .serialized)
struct OrderNewsTests {
  private static let opened = Result { try Newsroom.open() }
  private let news: Newsroom

  init() throws { news = try Self.opened.get().fresh() }

  @Test("goes to the other party, in order, and is retried until it is accepted")
  func orders() throws {
    let shop = try Shop(news.server)
    let product = try shop.offer("Carrots “Nantes”")
    let (buyer, _) = try news.server.signedIn()
    let seller = try news.channel(shop.owner, to: news.url("seller"), events: #"["order"]"#)
    _ = try news.channel(buyer, to: news.url("buyer"), events: #"["order"]"#)
    // The first attempt fails; the second message waits behind the first.
    news.receiver.script([.json(500, "{}")] + Array(repeating: .json(200, "{}"), count: 20))
    let order = try #require(try buyer.order(shop.id, [(product, 2)]).json["id"]?.text)
    #expect(holds(within: 20) { news.received("seller").count == 1 })
    #expect(try buyer.order(shop.id, [(product, 1)]).status == 201)
    #expect(holds(within: 30) { news.received("seller").count == 3 })
    let ids = news.received("seller").map { $0.headers["webhook-id"] }
    #expect(ids.count == 3 && ids.first == ids.dropFirst().first && ids.first != ids.last)
    #expect(try news.received("seller").map { try $0.json["type"]?.text } == Array(repeating: "order.placed", count: 3))
    #expect(try news.received("seller").first?.json["data"]?["id"]?.text == order)
    #expect(news.received("buyer").isEmpty)

    #expect(try shop.owner.post("/api/orders/\(order)/transitions", #"{"to":"paid"}"#).status == 200)
    #expect(holds(within: 20) { news.received("buyer").count == 1 })
    #expect(try news.received("buyer").first?.json["data"]?["status"]?.text == "paid")
    let listed = try shop.owner.get("\(news.path(seller))/deliveries").json["items"]?.elements
    #expect(listed?.map { $0["attempts"]?.integer } == [1, 2])
  }

  @Test("that nobody has paid in time goes to both parties")
  func unpaid() throws {
    let shop = try Shop(news.server)
    let product = try shop.offer()
    let (buyer, _) = try news.server.signedIn()
    _ = try news.channel(shop.owner, to: news.url("seller"), events: #"["order"]"#)
    _ = try news.channel(buyer, to: news.url("buyer"), events: #"["order"]"#)
    let order = try #require(try buyer.order(shop.id, [(product, 1)]).json["id"]?.text)
    try news.server.withDatabase { database in
      try await database.execute(
        "UPDATE orders SET expires_at = now() - interval '1 second' WHERE id::text = \(order)")
    }
    func last(_ side: String) throws -> JSONValue? { try news.received(side).last?.json }
    for side in ["seller", "buyer"] {
      #expect(try holds { try last(side)?["type"]?.text == "order.moved" })
      #expect(try last(side)?["data"]?["id"]?.text == order)
      #expect(try last(side)?["data"]?["status"]?.text == "cancelled")
    }
  }

  @Test("is gathered for a digest until the digest is due")
  func digest() throws {
    let shop = try Shop(news.server)
    let product = try shop.offer()
    let (buyer, _) = try news.server.signedIn()
    let gathered = try news.channel(shop.owner, events: #"["order"]"#, #","digest":"hourly""#)
    for _ in 0..<3 { #expect(try buyer.order(shop.id, [(product, 1)]).status == 201) }
    // A test message goes at once, without the gathered news.
    #expect(try shop.owner.send("POST", "\(news.path(gathered))/test").status == 202)
    #expect(holds(within: 20) { news.received().count == 1 })
    #expect(try news.received().first?.json["type"]?.text == "channel.test")
    let id = try #require(gathered["id"]?.text.flatMap { Identifier($0) })
    try news.server.withDatabase { database in
      try await database.execute(
        "UPDATE deliveries SET created_at = created_at - interval '61 minutes' WHERE channel_id = \(id)")
    }
    #expect(holds(within: 20) { news.received().count == 2 })
    #expect(try news.received().last?.json["type"]?.text == "digest")
    #expect(try news.received().last?.json["data"]?["items"]?.elements?.count == 3)
  }

  @Test("that is gathered for a digest is sent along with a warning, which does not wait")
  func warning() throws {
    let shop = try Shop(news.server)
    let product = try shop.offer()
    let (buyer, _) = try news.server.signedIn()
    let gathered = try news.channel(shop.owner, events: #"["order","insight"]"#, #","digest":"daily""#)
    #expect(try buyer.order(shop.id, [(product, 1)]).status == 201)
    #expect(try shop.owner.send("POST", "\(news.path(gathered))/test").status == 202)
    #expect(holds(within: 20) { news.received().count == 1 })
    #expect(try news.deliveries(shop.owner, gathered).last?.1 == "pending")
    let id = try #require(gathered["id"]?.text.flatMap { Identifier($0) })
    try news.server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at)
        VALUES (gen_random_uuid(), \(id), 'insight', 'insight.created', 'warning', 'Frost', 'Cover them.', '{}', now())
        """)
    }
    #expect(holds(within: 20) { news.received().count == 2 })
    #expect(try news.received().last?.json["data"]?["items"]?.elements?.count == 2)
  }

  @Test("that is stored keeps nothing of a buyer who was erased")
  func erased() throws {
    let shop = try Shop(news.server)
    let product = try shop.offer()
    let told = try #require(try news.channel(shop.owner, events: #"["order"]"#)["id"]?.text.flatMap { Identifier($0) })
    let (buyer, id) = try news.server.signedIn()
    let lines = #""lines":[{"productId":"\#(product)","quantity":1}]"#
    let members = #""note":"Ring twice","contact":{"name":"Grace","phone":"0123"}"#
    let made = try buyer.post(
      "/api/orders", #"{"businessId":"\#(shop.id)",\#(lines),\#(members)}"#, headers: ["Idempotency-Key: \(id)"])
    let order = try #require(made.header("location"))
    #expect(holds { news.received().count == 1 })
    #expect(try news.received().first?.json["data"]?["contact"]?["name"]?.text == "Grace")
    #expect(try buyer.post("\(order)/transitions", #"{"to":"cancelled"}"#).status == 200)
    #expect(try buyer.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status == 204)
    let kept = try news.server.withDatabase { database in
      try await database.query("SELECT data::text FROM deliveries WHERE channel_id = \(told)").map {
        try $0.decode(String.self, 0)
      }
    }
    #expect(kept.count == 2)
    for text in ["Grace", "Ring twice", "0123", "\(id)"] { #expect(!kept.contains { $0.contains(text) }, "\(text)") }
  }
}
