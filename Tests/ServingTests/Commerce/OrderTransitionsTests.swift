import JSON
import Testing
import Values

@testable import Commerce

@Suite("Transitions of orders", .blocking)
struct OrderTransitionsTests {
  private let server: LiveServer
  private let shop: Shop
  private let buyer: Client

  init() throws {
    server = try LiveServer.shared.get()
    shop = try Shop(server)
    buyer = try server.signedIn().client
  }

  /// Places an order and moves it through `states`; returns its id.
  private func order(_ product: String? = nil, through states: [OrderStatus] = []) throws -> String {
    let product = try product ?? shop.offer()
    let id = try #require(try buyer.order(shop.id, [(product, 2)]).json["id"]?.text)
    for state in states { #expect(try move(id, to: state).status == 200) }
    return id
  }

  private func move(_ order: String, to state: OrderStatus, by client: Client? = nil) throws -> Reply {
    try Self.move(order, to: state, by: client ?? shop.owner)
  }

  private static func move(_ order: String, to state: OrderStatus, by client: Client) throws -> Reply {
    try client.post("/api/orders/\(order)/transitions", #"{"to":"\#(state.rawValue)"}"#)
  }

  /// The steps to each state.
  private static let ways: [OrderStatus: [OrderStatus]] = [
    .pending: [], .paid: [.paid], .preparing: [.paid, .preparing], .shipped: [.paid, .preparing, .shipped],
    .delivered: [.paid, .preparing, .shipped, .delivered], .cancelled: [.cancelled], .refunded: [.paid, .refunded],
  ]
  private static let possible: [OrderStatus: [OrderStatus]] = [
    .pending: [.paid, .cancelled], .paid: [.preparing, .refunded], .preparing: [.shipped, .refunded],
    .shipped: [.delivered, .refunded], .delivered: [.refunded],
  ]

  @Test("are those of the state machine, and no others", arguments: OrderStatus.allCases)
  func machine(from: OrderStatus) throws {
    for to in OrderStatus.allCases {
      let order = try order(through: Self.ways[from]!)
      let isPossible = Self.possible[from]?.contains(to) ?? false
      // Whether the step is possible is checked first, whoever asks.
      let byBuyer = try move(order, to: to, by: buyer)
      if !isPossible {
        #expect(byBuyer.status == 409 && byBuyer.problem == "impossible-transition")
      } else if to == .cancelled {
        #expect(byBuyer.status == 200)
        continue
      } else if from == .shipped, to == .delivered {
        // This step is the buyer's only once the seller neglects the order.
        #expect(byBuyer.problem == "impossible-transition")
      } else {
        #expect(byBuyer.problem == "forbidden")
      }
      let bySeller = try move(order, to: to)
      #expect(bySeller.status == (isPossible ? 200 : 409))
      let now = isPossible ? to : from
      #expect(try buyer.get("/api/orders/\(order)").json["status"]?.text == now.rawValue)
    }
  }

  @Test("can be made only by the order's parties, and only to a known state")
  func refusals() throws {
    let order = try order()
    let (stranger, _) = try server.signedIn()
    #expect(try move(order, to: .cancelled, by: stranger).status == 404)
    #expect(try move("\(Identifier.make(unixMilliseconds: 1))", to: .paid).status == 404)
    #expect(try move("nonsense", to: .paid).status == 404)
    let path = "/api/orders/\(order)/transitions"
    #expect(try shop.owner.post(path, #"{"to":"lost"}"#).pointers == ["/to"])
    #expect(try shop.owner.post(path, "{}").pointers == ["/to"])
    #expect(try shop.owner.post(path, #"{"to":"paid","when":"now"}"#).pointers == ["/when"])
    #expect(try Client(server).post(path, #"{"to":"paid"}"#).status == 401)
    let moved = try move(order, to: .paid)
    #expect(moved.body == (try shop.owner.get("/api/orders/\(order)")).body)
  }

  @Test("that cancel or refund return the stock", arguments: [OrderStatus.cancelled, .refunded])
  func stock(end: OrderStatus) throws {
    let product = try shop.offer(stock: 10)
    let order = try order(product)
    #expect(try shop.stock(of: product) == 8)
    for state in Self.ways[end]! { #expect(try move(order, to: state).status == 200) }
    #expect(try shop.stock(of: product) == 10)
    #expect(try move(order, to: end).status == 409)
    #expect(try shop.stock(of: product) == 10)
  }

  @Test("return what was taken, and nothing to a product that was unlimited when it was ordered")
  func limitedSince() throws {
    let (limited, unlimited) = (try shop.offer(stock: 10), try shop.offer(stock: nil))
    let reply = try buyer.order(shop.id, [(unlimited, 3), (limited, 4)])
    let order = try #require(try reply.json["id"]?.text)
    #expect(try shop.owner.patch("/api/products/\(unlimited)", #"{"stock":5}"#).status == 200)
    #expect(try move(order, to: .cancelled).status == 200)
    #expect(try shop.stock(of: unlimited) == 5)
    #expect(try shop.stock(of: limited) == 10)
  }

  @Test("return stock only up to the most that a product may have")
  func fullStock() throws {
    let full = Product.maximumStock
    let product = try shop.offer(stock: full)
    let order = try order(product)
    #expect(try shop.owner.patch("/api/products/\(product)", #"{"stock":\#(full - 1)}"#).status == 200)
    #expect(try move(order, to: .cancelled).status == 200)
    #expect(try shop.stock(of: product) == full)
  }

  @Test("that many requests attempt at once are made once, and revenue is counted once")
  func race() throws {
    let product = try shop.offer(amount: 700, currency: "SEK", stock: 10)
    let order = try order(product)
    let before = try counts("SEK")
    let seller = shop.owner.token
    let paid = try together(10) { [server] _ in
      try Self.move(order, to: .paid, by: Client(server, token: seller)).status
    }
    #expect(paid.filter { $0 == 200 }.count == 1 && paid.filter { $0 == 409 }.count == 9)
    let refunded = try together(10) { [server] _ in
      try Self.move(order, to: .refunded, by: Client(server, token: seller)).status
    }
    #expect(refunded.filter { $0 == 200 }.count == 1)
    #expect(try shop.stock(of: product) == 10)
    let after = try counts("SEK")
    #expect(after.revenue - before.revenue == 1_400 && after.refunds - before.refunds == 1_400)
  }

  /// The revenue and the refunds of a currency in the metrics; it must be one that no other test uses.
  private func counts(_ currency: String) throws -> (revenue: Int, refunds: Int) {
    let labels = #"{currency="\#(currency)"}"#
    return (try server.metric("revenue_total" + labels), try server.metric("refunds_total" + labels))
  }

  @Test("to cancelled and to paid at the same time: exactly one of the two succeeds")
  func cancelOrPay() throws {
    let product = try shop.offer(stock: 100)
    for _ in 0..<5 {
      let order = try order(product)
      let tokens = [buyer.token, shop.owner.token]
      let statuses = try together(2) { [server] index in
        try Self.move(
          order, to: index == 0 ? .cancelled : .paid, by: Client(server, token: tokens[index])
        ).status
      }
      #expect(statuses.sorted() == [200, 409])
    }
    let items = try buyer.get("/api/orders?status=paid").json["items"]?.elements ?? []
    #expect(try shop.stock(of: product) == 100 - 2 * Int64(items.count))
  }

  @Test("cancel an order that nobody pays within the time that the business allows, and return its stock")
  func unpaid() throws {
    #expect(try shop.owner.patch(shop.path, #"{"paymentWithin":3}"#).json["paymentWithin"]?.integer == 3)
    let product = try shop.offer(stock: 5)
    let made = try buyer.order(shop.id, [(product, 2)])
    let id = try #require(try made.json["id"]?.text)
    let (created, end) = (
      try #require(try made.json["createdAt"]?.timestamp), try #require(try made.json["expiresAt"]?.timestamp)
    )
    #expect(end.unixMilliseconds - created.unixMilliseconds == 3 * 3_600_000)
    #expect(try shop.stock(of: product) == 3)
    try server.withDatabase { database in
      _ = try await database.execute(
        "UPDATE orders SET expires_at = now() - interval '1 second' WHERE id::text = \(id)")
    }
    #expect(
      try holds(within: 60) { try buyer.get("/api/orders/\(id)").json["status"]?.text == "cancelled" })
    #expect(try holds { try shop.stock(of: product) == 5 })
  }

  @Test("of many unpaid orders at once return what each of them took, even of the same products")
  func manyUnpaid() throws {
    #expect(try shop.owner.patch(shop.path, #"{"paymentWithin":3}"#).status == 200)
    let products = try (0..<3).map { _ in try shop.offer(stock: 50) }
    for _ in 0..<4 {
      #expect(try buyer.order(shop.id, products.map { (product: $0, quantity: 2) }).status == 201)
      #expect(try buyer.order(shop.id, [(products[0], 5)]).status == 201)
    }
    #expect(try products.map { try shop.stock(of: $0) } == [22, 42, 42])
    let business = shop.id
    try server.withDatabase { database in
      try await database.execute(
        "UPDATE orders SET expires_at = now() - interval '1 second' WHERE business_id::text = \(business)")
    }
    #expect(
      try holds { try buyer.get("/api/orders?status=cancelled").json["items"]?.elements?.count == 8 })
    #expect(try holds { try products.map { try shop.stock(of: $0) } == [50, 50, 50] })
  }

  @Test("cancel unpaid orders although one of them cannot be cancelled")
  func unpaidFailing() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let shop = try Shop(server)
    let buyer = try server.signedIn().client
    let product = try shop.offer(stock: 50)
    let orders = try (0..<7).map { _ in try #require(try buyer.order(shop.id, [(product, 1)]).json["id"]?.text) }
    let bad = orders[2]
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
          CREATE TRIGGER refuse BEFORE UPDATE ON orders FOR EACH ROW
            WHEN (NEW.id = '\(bad)' AND NEW.status = 'cancelled') EXECUTE FUNCTION refuse();
          UPDATE orders SET expires_at = now() - interval '1 second';
          """)
      }
    }
    #expect(try holds { try buyer.get("/api/orders?status=cancelled").json["items"]?.elements?.count == 6 })
    #expect(try buyer.get("/api/orders/\(bad)").json["status"]?.text == "pending")
    #expect(try shop.stock(of: product) == 49)
    let line = try #require(server.log.line("Cannot cancel an unpaid order"))
    #expect(line.contains(bad))
    // The bad order is left alone, and one that falls due now is ended all the same.
    let next = try #require(try buyer.order(shop.id, [(product, 1)]).json["id"]?.text)
    try server.withDatabase { database in
      try await database.execute(
        "UPDATE orders SET expires_at = now() - interval '1 second' WHERE id::text = \(next)")
    }
    #expect(try holds { try buyer.get("/api/orders/\(next)").json["status"]?.text == "cancelled" })
  }

  @Test(
    "let the buyer end a paid order whose seller is disabled or has not moved it for two weeks",
    arguments: [
      (.paid, .cancelled, "NOK"), (.preparing, .cancelled, "DKK"), (.shipped, .delivered, "ISK"),
    ] as [(OrderStatus, OrderStatus, String)])
  func waysOut(from: OrderStatus, end: OrderStatus, currency: String) throws {
    let product = try shop.offer(currency: currency, stock: 10)
    let before = try counts(currency)
    let way = Self.ways[from]!
    let (silent, stopped) = (try order(product, through: way), try order(product, through: way))
    let password = #"{"password":"\#(LiveServer.password)"}"#
    #expect(try move(silent, to: end, by: buyer).problem == "impossible-transition")
    #expect(try buyer.delete("/api/users/me", password).problem == "open-orders")
    try server.withDatabase { database in
      _ = try await database.execute(
        "UPDATE orders SET updated_at = now() - interval '15 days' WHERE id::text = \(silent)")
    }
    // The seller refunds a paid order instead of cancelling it.
    if end == .cancelled { #expect(try move(silent, to: end).problem == "impossible-transition") }
    #expect(try move(silent, to: end, by: buyer).status == 200)
    #expect(try move(stopped, to: end, by: buyer).problem == "impossible-transition")
    let summary = try shop.owner.get("/api/orders/summary").json["items"]?.elements?.first
    let refund: Int64 = end == .cancelled ? 700 : 0
    #expect(summary?["paid"]?.integer == 1_400 && summary?["refunded"]?.integer == refund)
    let owner = shop.ownerID
    try server.withDatabase { database in
      _ = try await database.execute("UPDATE users SET disabled = true WHERE id = \(owner)")
    }
    #expect(try move(stopped, to: end, by: buyer).status == 200)
    #expect(try counts(currency).refunds - before.refunds == 2 * Int(refund))
    #expect(try buyer.get("/api/products/\(product)").json["stock"]?.integer == (end == .cancelled ? 10 : 6))
    #expect(try buyer.delete("/api/users/me", password).status == 204)
  }
}
