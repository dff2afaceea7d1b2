import JSON
import Postgres
import Testing
import Values

@Suite("The list of a shop's products", .blocking)
struct ProductListTests {
  private let server: LiveServer
  private let shop: Shop
  private let buyer: Client
  /// The clients that read the list, on all loops.
  private let readers: [Client]

  init() throws {
    server = try LiveServer.shared.get()
    shop = try Shop(server)
    buyer = try server.signedIn().client
    readers = server.clients(4)
  }

  /// The stocks of the only product that the readers see.
  private func stocks() throws -> Set<Int64?> {
    Set(try readers.map { try $0.get("\(shop.path)/products").items.first?["stock"]?.integer })
  }

  /// Orders two of a stock of five, after all readers have read the list; returns the order's id.
  private func order() throws -> String {
    let product = try shop.offer(stock: 5)
    for _ in 0..<2 { #expect(try stocks() == [5]) }
    let reply = try buyer.order(shop.id, [(product, 2)])
    #expect(try stocks() == [3])
    return try #require(try reply.json["id"]?.text)
  }

  @Test("shows at once that an order takes stock, and that its cancellation returns it")
  func cancelled() throws {
    let order = try order()
    #expect(try buyer.post("/api/orders/\(order)/transitions", #"{"to":"cancelled"}"#).status == 200)
    #expect(try stocks() == [5])
  }

  @Test("shows that an order returns its stock when it ends unpaid")
  func unpaid() throws {
    let order = try order()
    try server.withDatabase { database in
      try await database.execute(
        "UPDATE orders SET expires_at = now() - interval '1 second' WHERE id::text = \(order)")
    }
    #expect(try holds { try buyer.get("/api/orders/\(order)").json["status"]?.text == "cancelled" })
    // Sooner than kept answers expire; a second is promised.
    #expect(try holds(within: 20) { try stocks() == [5] })
  }
}
