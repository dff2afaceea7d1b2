import JSON
import Testing
import Values

@Suite("Orders", .blocking)
struct OrdersTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  // MARK: Placing

  @Test("are priced by the server, take stock and stay as sold")
  func placing() throws {
    let shop = try Shop(server)
    let carrots = try shop.offer("Carrots", amount: 350, stock: 10)
    let eggs = try shop.offer("Eggs", amount: 0)
    let (buyer, id) = try server.signedIn()
    let reply = try buyer.order(shop.id, [(carrots, 2), (eggs, 6), (carrots, 1)])
    #expect(reply.status == 201)
    let order = try reply.json
    #expect(reply.header("location") == "/api/orders/\(order["id"]?.text ?? "")")
    #expect(order["status"]?.text == "pending")
    #expect(order["buyerId"]?.text == "\(id)" && order["businessId"]?.text == shop.id)
    let lines = order["lines"]?.elements ?? []
    #expect(lines.map { $0["productId"]?.text } == [carrots, eggs])
    #expect(lines.map { $0["quantity"]?.integer } == [3, 6])
    #expect(lines.map { $0["total"]?["amount"]?.integer } == [1_050, 0])
    #expect(order["total"]?["amount"]?.integer == 1_050 && order["total"]?["currency"]?.text == "EUR")
    #expect(try shop.stock(of: carrots) == 7)

    let path = try #require(reply.header("location"))
    try shop.owner.patch("/api/products/\(carrots)", #"{"name":"Beets","price":{"amount":999}}"#)
    try shop.owner.delete("/api/products/\(eggs)")
    let read = try buyer.get(path)
    #expect(read.status == 200 && read.body == reply.body)
    #expect(read.header("etag") == reply.header("etag"))
    #expect(read.header("cache-control") == "private, no-cache")
    #expect(try shop.owner.get(path).body == reply.body)
    #expect(try server.signedIn().client.get(path).status == 404)
    #expect(try Client(server).get(path).status == 401)
    #expect(try buyer.get("/api/orders/nonsense").status == 404)
  }

  @Test("are refused with every fault at its place")
  func faults() throws {
    let (shop, other) = (try Shop(server), try Shop(server))
    let product = try shop.offer(stock: 5)
    let (buyer, _) = try server.signedIn()
    let unknown = "\(Identifier.make(unixMilliseconds: 1))"
    let gone = try shop.offer("Gone")
    try shop.owner.delete("/api/products/\(gone)")

    let foreign = try other.offer("Foreign")
    let reply = try buyer.order(shop.id, [(product, 1), (unknown, 1), (foreign, 1), (gone, 1)])
    #expect(reply.status == 422)
    #expect(reply.pointers == [1, 2, 3].map { "/lines/\($0)/productId" })
    #expect(try buyer.order(unknown, [(product, 1)]).pointers == ["/businessId"])
    #expect(try shop.owner.order(shop.id, [(product, 1)]).pointers == ["/businessId"])
    let francs = try shop.offer("Cheese", currency: "CHF")
    #expect(try buyer.order(shop.id, [(product, 1), (francs, 1)]).pointers == ["/lines/1/productId"])
    let dear = try shop.offer("Diamond", amount: .max)
    #expect(try buyer.order(shop.id, [(dear, 2)]).pointers == ["/lines/0/quantity"])
    #expect(try buyer.order(shop.id, [(dear, 1), (product, 1)]).pointers == ["/lines"])
    #expect(try buyer.order(shop.id, []).pointers == ["/lines"])
    #expect(
      try buyer.order(shop.id, [(product, 0), (product, 1_000_001)]).pointers == [0, 1].map { "/lines/\($0)/quantity" })
    let key = ["Idempotency-Key: k"]
    #expect(try buyer.post("/api/orders", #"{"lines":[{}],"total":1}"#, headers: key).pointers.count == 4)
    #expect(try buyer.post("/api/orders", "{", headers: key).status == 400)
    #expect(try Client(server).order(shop.id, [(product, 1)]).status == 401)

    let many = try buyer.order(shop.id, [(product, 6)])
    #expect(many.status == 409 && many.problem == "out-of-stock" && many.pointers == ["/lines/0/quantity"])
    #expect(try shop.stock(of: product) == 5)
  }

  @Test("cost what the buyer has agreed to, or are refused with what they cost now")
  func expectedTotal() throws {
    let shop = try Shop(server)
    let (carrots, eggs) = (try shop.offer("Carrots", amount: 350, stock: 10), try shop.offer("Eggs", amount: 25))
    let (buyer, _) = try server.signedIn()
    let lines = [(product: carrots, quantity: Int64(2)), (eggs, 6)]
    func order(_ amount: Int64, _ currency: String = "EUR", key: String) throws -> Reply {
      try buyer.order(shop.id, lines, expecting: #"{"amount":\#(amount),"currency":"\#(currency)"}"#, key: key)
    }
    let placed = try order(850, key: "first")
    #expect(placed.status == 201)
    #expect(try placed.json["total"]?["amount"]?.integer == 850)

    try shop.owner.patch("/api/products/\(carrots)", #"{"price":{"amount":35000}}"#)
    for (amount, currency) in [(Int64(850), "EUR"), (70_150, "CHF"), (0, "EUR")] {
      let refused = try order(amount, currency, key: "second")
      #expect(refused.status == 409 && refused.problem == "price-changed")
      #expect(try refused.json["total"]?["amount"]?.integer == 70_150)
      #expect(try refused.json["total"]?["currency"]?.text == "EUR")
    }
    #expect(try shop.stock(of: carrots) == 8)
    #expect(try buyer.get("/api/orders").json["items"]?.elements?.count == 1)
    // A placed order is answered again, and a refused one may be agreed to with the same key.
    #expect(try order(850, key: "first").body == placed.body)
    #expect(try order(70_150, key: "second").status == 201)
    #expect(try order(850, key: "second").problem == "idempotency-key-reused")
    for absent in [nil, "null"] { #expect(try buyer.order(shop.id, lines, expecting: absent).status == 201) }
    #expect(try shop.stock(of: carrots) == 2)
    let faulty = try buyer.order(shop.id, lines, expecting: #"{"amount":-1}"#)
    #expect(faulty.pointers == ["/expectedTotal/amount", "/expectedTotal/currency"])
  }

  // MARK: Idempotency

  @Test("are made once for each key, and every answer is the same byte for byte")
  func idempotency() throws {
    let shop = try Shop(server)
    let product = try shop.offer(stock: 5)
    let (buyer, _) = try server.signedIn()
    let first = try buyer.order(shop.id, [(product, 2)], key: "a key")
    #expect(first.status == 201)
    try shop.owner.post("\(first.header("location") ?? "")/transitions", #"{"to":"cancelled"}"#)
    let again = try buyer.order(shop.id, [(product, 2)], key: "a key")
    #expect(again.status == 201 && again.body == first.body)
    for name in ["location", "etag", "content-type", "cache-control"] {
      #expect(again.header(name) == first.header(name))
    }
    let other = try buyer.order(shop.id, [(product, 1)], key: "a key")
    #expect(other.status == 422 && other.problem == "idempotency-key-reused")
    #expect(try shop.stock(of: product) == 5)
    // Each user has idempotency keys of their own.
    let (neighbour, _) = try server.signedIn()
    #expect(try neighbour.order(shop.id, [(product, 1)], key: "a key").status == 201)
    // A refused order may be sent again with the same key.
    #expect(try buyer.order(shop.id, [(product, 5)], key: "refused").status == 409)
    try shop.owner.patch("/api/products/\(product)", #"{"stock":5}"#)
    #expect(try buyer.order(shop.id, [(product, 5)], key: "refused").status == 201)
  }

  @Test("need a key of up to 255 characters, which lasts a day")
  func keys() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let (buyer, id) = try server.signedIn()
    let body = Client.orderBody(shop.id, [(product, 1)])
    let missing = try buyer.post("/api/orders", body)
    #expect(missing.status == 400 && missing.problem == "idempotency-key-missing")
    let long = String(repeating: "k", count: 255)
    for bad in ["Idempotency-Key: ", "Idempotency-Key: \(long)k", "Idempotency-Key: a\r\nIdempotency-Key: a"] {
      #expect(try buyer.post("/api/orders", body, headers: [bad]).status == 400)
    }
    let first = try buyer.order(shop.id, [(product, 1)], key: long)
    #expect(first.status == 201)
    try server.withDatabase { database in
      try await database.execute(
        "UPDATE idempotency_keys SET created_at = created_at - interval '24 h' WHERE user_id = \(id)")
    }
    let later = try buyer.order(shop.id, [(product, 1)], key: long)
    #expect(later.status == 201 && later.body != first.body)
    #expect(try buyer.order(shop.id, [(product, 1)], key: long).body == later.body)
  }

  @Test("that come twenty at a time with one key become one order")
  func doubleTap() throws {
    let shop = try Shop(server)
    let product = try shop.offer(stock: 100)
    let (buyer, _) = try server.signedIn()
    let replies = try together(20) { [server, token = buyer.token, shop = shop.id] _ in
      try Client(server, token: token).order(shop, [(product, 1)], key: "tap")
    }
    let placed = replies.filter { $0.status == 201 }
    #expect(!placed.isEmpty && Set(placed.map(\.text)).count == 1)
    #expect(replies.allSatisfy { $0.status == 201 || $0.problem == "request-in-progress" })
    #expect(try shop.stock(of: product) == 99)
    #expect(try buyer.get("/api/orders?role=buyer").json["items"]?.elements?.count == 1)
  }

  @Test("never sell more than is in stock, however many buy at the same time")
  func lastItems() throws {
    let shop = try Shop(server)
    let (pears, plums) = (try shop.offer("Pears", stock: 10), try shop.offer("Plums", stock: 100))
    let buyers = try (0..<50).map { _ in try server.signedIn().client.token }
    let replies = try together(50) { [server, shop = shop.id] index in
      // Half of the orders name the products the other way round, so that they would deadlock without a lock order.
      let (one, other) = index % 2 == 0 ? (pears, plums) : (plums, pears)
      let buyer = Client(server, token: buyers[index])
      return try patiently { try buyer.order(shop, [(one, 1), (other, 1)]) }
    }
    #expect(replies.filter { $0.status == 201 }.count == 10)
    #expect(replies.filter { $0.problem == "out-of-stock" }.count == 40)
    #expect(try shop.stock(of: pears) == 0)
    #expect(try shop.stock(of: plums) == 90)
  }

  // MARK: Parties

  @Test("are listed by role and status, page by page")
  func listing() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let (buyer, _) = try server.signedIn()
    let orders = try (0..<3).map { _ in
      try #require(try buyer.order(shop.id, [(product, 1)]).json["id"]?.text)
    }
    // The seller has bought something elsewhere.
    let other = try Shop(server)
    let bought = try #require(try shop.owner.order(other.id, [(other.offer(), 1)]).json["id"]?.text)
    try shop.owner.post("/api/orders/\(orders[1])/transitions", #"{"to":"paid"}"#)
    func ids(_ client: Client, _ query: String) throws -> [String] {
      let items = try client.get("/api/orders?\(query)").json["items"]?.elements ?? []
      #expect(items.allSatisfy { $0["lines"]?.elements?.count == 1 })
      return items.compactMap { $0["id"]?.text }
    }
    #expect(try ids(buyer, "") == orders.reversed())
    #expect(try ids(buyer, "role=buyer") == orders.reversed())
    #expect(try ids(buyer, "role=seller") == [])
    #expect(try ids(shop.owner, "") == [bought] + orders.reversed())
    #expect(try ids(shop.owner, "role=seller") == orders.reversed())
    #expect(try ids(shop.owner, "role=buyer") == [bought])
    #expect(try ids(shop.owner, "role=seller&status=paid") == [orders[1]])
    #expect(try ids(shop.owner, "status=pending") == [bought, orders[2], orders[0]])

    let page = try shop.owner.get("/api/orders?role=seller&limit=2")
    let rest = try shop.owner.get(try #require(page.next))
    #expect(try rest.items.compactMap { $0["id"]?.text } == [orders[0]])
    #expect(try rest.json["nextCursor"] == .null)
    let cursor = try #require(try page.json["nextCursor"]?.text)
    #expect(try shop.owner.get("/api/orders?cursor=\(cursor)").problem == "invalid-cursor")
    #expect(try buyer.get("/api/orders?role=seller&cursor=\(cursor)").problem == "invalid-cursor")
    for bad in ["role=thief", "status=gone", "status=", "role=buyer&role=buyer"] {
      #expect(try buyer.get("/api/orders?\(bad)").status == 400)
    }
    #expect(try Client(server).get("/api/orders").status == 401)
  }

  @Test("keep a business from closing while they are open, and stay when the buyer is erased")
  func leaving() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let (buyer, _) = try server.signedIn()
    let order = try #require(try buyer.order(shop.id, [(product, 1)]).json["id"]?.text)
    let password = #"{"password":"\#(LiveServer.password)"}"#
    for step in ["paid", "preparing", "shipped", "delivered"] {
      #expect(try shop.owner.delete(shop.path).problem == "open-orders")
      #expect(try shop.owner.post("/api/orders/\(order)/transitions", #"{"to":"\#(step)"}"#).status == 200)
    }
    #expect(try buyer.delete("/api/users/me", password).status == 204)
    let left = try shop.owner.get("/api/orders/\(order)")
    #expect(left.status == 200)
    #expect(try left.json["buyerId"] == .null)
    #expect(try shop.owner.post("/api/orders/\(order)/transitions", #"{"to":"refunded"}"#).status == 200)
    #expect(try shop.owner.delete(shop.path).status == 204)
    #expect(try shop.owner.get("/api/orders/\(order)").json["lines"]?.elements?.count == 1)
    let late = try server.signedIn().client
    #expect(try late.order(shop.id, [(product, 1)]).pointers == ["/businessId"])
  }

  @Test("show both parties a note, a contact and how the goods change hands")
  func arrangements() throws {
    let server = try LiveServer.shared.get()
    let shop = try Shop(server)
    let product = try shop.offer()
    let buyer = try server.signedIn().client
    func order(_ members: String) throws -> Reply {
      let body = #"{"businessId":"\#(shop.id)","lines":[{"productId":"\#(product)","quantity":1}],\#(members)}"#
      return try buyer.post(
        "/api/orders", body, headers: ["Idempotency-Key: \(Identifier.make(unixMilliseconds: 0))"])
    }
    let pickup = #""fulfilment":{"kind":"pickup","from":"2026-12-01T10:00:00+01:00","to":"2026-12-01T11:00:00+01:00"}"#
    let made = try order(#""note":"Ring\ntwice","contact":{"name":"Grace","phone":"0123"},\#(pickup)"#)
    #expect(made.status == 201, "\(made.text)")
    let path = try #require(made.header("location"))
    for party in [buyer, shop.owner] {
      let read = try party.get(path)
      #expect(read.body == made.body)
      #expect(try read.json["note"]?.text == "Ring\ntwice")
      #expect(try read.json["contact"]?["name"]?.text == "Grace")
      #expect(try read.json["fulfilment"]?["from"]?.text == "2026-12-01T09:00:00.000Z")
    }
    let delivery = #""fulfilment":{"kind":"delivery","address":"12 Mill Lane"}"#
    #expect(try order(delivery).pointers == ["/fulfilment/kind"])
    #expect(try shop.owner.patch(shop.path, #"{"fulfilment":["pickup","delivery"]}"#).status == 200)
    #expect(try order(delivery).status == 201)
    #expect(try order(#""fulfilment":{"kind":"delivery"}"#).pointers == ["/fulfilment/address"])
    #expect(
      try order(#""fulfilment":{"kind":"pickup","from":"2026-12-01T10:00:00Z","to":"2026-12-01T10:00:00Z"}"#).pointers
        == ["/fulfilment/to"])
    for from in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"] {
      #expect(try order(#""fulfilment":{"kind":"pickup","from":"\#(from)"}"#).pointers == ["/fulfilment/from"])
    }
    #expect(try order(#""contact":{"email":"nonsense"}"#).pointers == ["/contact/name", "/contact/email"])
  }
}
