import JSON
import Postgres
import Reactor
import Synchronization
import Testing
import Values

/// When a party of an order is erased, what the other needs of the order stays. The whole database is searched for what
/// the erased party had written.
@Suite("An erased party of an order", .blocking)
struct ErasedPartiesTests {
  private static let password = #"{"password":"\#(LiveServer.password)"}"#

  /// The `words` that are found anywhere in a server's database, also as bytes.
  private func found(_ words: Set<String>, in server: LiveServer) throws -> Set<String> {
    try server.withDatabase { database in
      let tables = try await database.query(
        """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        """)
      var found: Set<String> = []
      for table in try tables.map({ try $0.decode(String.self, 0) }) {
        let rows = try await database.query(
          """
          SELECT word FROM unnest(\(Array(words))) word WHERE EXISTS (
            SELECT FROM \(unescaped: table) t
            WHERE t::text ILIKE '%' || word || '%' OR t::text LIKE '%' || encode(word::bytea, 'hex') || '%')
          """)
        try found.formUnion(rows.map { try $0.decode(String.self, 0) })
      }
      return found
    }
  }

  @Test("is refused while an order is open before anything is deleted, which may take long")
  func openOrder() throws {
    let server = try LiveServer.shared.get()
    let shop = try Shop(server)
    let buyer = try server.signedIn().client
    #expect(try buyer.order(shop.id, [(try shop.offer(), 1)]).status == 201)
    for party in [shop.owner, buyer] {
      let (device, _) = try party.makeDevice(in: try party.makeGarden())
      let token = try #require(party.token)
      // A deletion would wait for this.
      let hold = try server.hold("SELECT FROM devices WHERE id = '\(device)' FOR KEY SHARE")
      defer { hold.release() }
      let problem = Mutex<String?>(nil)
      let sending = try SystemThread(name: "erasing") {
        let reply = try? Client(server, token: token).delete("/api/users/me", Self.password)
        problem.withLock { $0 = reply?.problem ?? "none" }
      }
      #expect(holds(within: 20) { problem.withLock { $0 } == "open-orders" })
      hold.release()
      sending.join()
    }
  }

  @Test("that was the buyer leaves nothing that they wrote, with the seller or anywhere else")
  func buyer() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let shop = try Shop(server)
    #expect(try shop.owner.patch(shop.path, #"{"fulfilment":["delivery"]}"#).status == 200)
    let product = try shop.offer()
    let (buyer, id) = try server.signedIn()
    let made = try buyer.post(
      "/api/orders",
      #"""
      {"businessId":"\#(shop.id)","lines":[{"productId":"\#(product)","quantity":1}],"note":"Ring thrice",
       "contact":{"name":"Quillfeather","phone":"555-0199"},
       "fulfilment":{"kind":"delivery","address":"Larkspur Lane"}}
      """#, headers: ["Idempotency-Key: \(id)"])
    let order = try #require(made.header("location"), "\(made.text)")
    for step in ["paid", "preparing", "shipped", "delivered"] {
      #expect(try shop.owner.post("\(order)/transitions", #"{"to":"\#(step)"}"#).status == 200)
    }
    let words: Set = ["Ring thrice", "Quillfeather", "555-0199", "Larkspur Lane", "\(id)"]
    #expect(try found(words, in: server) == words)
    #expect(try buyer.delete("/api/users/me", Self.password).status == 204)
    let kept = try found(words, in: server)
    #expect(kept == [])
    let left = try shop.owner.get(order)
    #expect(left.status == 200 && words.allSatisfy { !left.text.contains($0) }, "\(left.text)")
  }

  @Test("that was the seller leaves nothing that they said of the business, except in what was ordered there")
  func seller() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let shop = try Shop(server, name: "Quillfeather Farm")
    let place = #""location":{"latitude":47.123456,"longitude":8.654321}"#
    #expect(try shop.owner.patch(shop.path, #"{"description":"By the larkspur",\#(place)}"#).status == 200)
    let (product, _) = (try shop.offer(), try shop.offer("Skirret"))
    let (buyer, _) = try server.signedIn()
    let order = try #require(try buyer.order(shop.id, [(product, 1)]).header("location"))
    #expect(try buyer.post("\(order)/transitions", #"{"to":"cancelled"}"#).status == 200)
    let words: Set = ["Quillfeather", "larkspur", "47.123456", "8.654321", "Skirret", "\(shop.ownerID)"]
    #expect(try found(words, in: server) == words)
    #expect(try shop.owner.delete("/api/users/me", Self.password).status == 204)
    let kept = try found(words, in: server)
    #expect(kept == [])
    #expect(try buyer.get(order).json["lines"]?.elements?.first?["name"]?.text == "Carrots")
  }
}
