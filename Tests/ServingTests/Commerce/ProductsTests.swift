import JSON
import Postgres
import Testing
import Values

@testable import Commerce

@Suite("Products", .blocking)
struct ProductsTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("are offered, read by everyone, changed by merge patch and withdrawn")
  func way() throws {
    let shop = try Shop(server)
    let offered = try shop.owner.post(
      "\(shop.path)/products", #"{"name":"Carrots","price":{"amount":350,"currency":"EUR"},"unit":"kg","stock":40}"#)
    #expect(offered.status == 201)
    let path = try #require(offered.header("location"))
    let everyone = Client(server)
    let read = try everyone.get(path)
    #expect(read.body == offered.body)
    #expect(try read.json["businessId"]?.text == shop.id)
    let tag = try #require(read.header("etag"))
    #expect(try everyone.get(path, headers: ["If-None-Match: \(tag)"]).status == 304)

    // A list of tags may come in several fields.
    #expect(try everyone.get(path, headers: ["If-None-Match: \"other\"", "If-None-Match: \(tag)"]).status == 304)

    let changed = try shop.owner.patch(
      path, #"{"price":{"amount":0},"stock":null}"#, headers: ["If-Match: \"other\"", "If-Match: \(tag)"])
    #expect(changed.status == 200)
    #expect(try changed.json["price"]?["amount"]?.integer == 0)
    #expect(try changed.json["price"]?["currency"]?.text == "EUR")
    #expect(try changed.json["stock"] == .null)
    #expect(try changed.json["name"]?.text == "Carrots")
    #expect(try everyone.get(path).body == changed.body)
    #expect(try shop.owner.patch(path, "{}", headers: ["If-Match: \(tag)"]).problem == "precondition-failed")

    #expect(try shop.owner.delete(path, headers: ["If-Match: \(tag)"]).status == 412)
    #expect(try shop.owner.delete(path).status == 204)
    #expect(try everyone.get(path).status == 404)
    #expect(try shop.owner.delete(path).status == 404)
  }

  @Test("are refused with all faults of a new one at once")
  func faults() throws {
    let shop = try Shop(server)
    let faulty = try shop.owner.post(
      "\(shop.path)/products",
      #"{"name":"","price":{"amount":-1,"currency":"eur"},"unit":"","stock":-1,"colour":"red"}"#)
    #expect(
      faulty.pointers == ["/name", "/price/amount", "/price/currency", "/unit", "/stock", "/colour"])
    for price in [#"{"amount":1.5,"currency":"EUR"}"#, #"{"amount":1,"currency":"XXX"}"#, "350", "null"] {
      let reply = try shop.owner.post("\(shop.path)/products", #"{"name":"a","price":\#(price),"unit":"kg"}"#)
      #expect(reply.status == 422 && reply.pointers.allSatisfy { $0.hasPrefix("/price") })
    }
    let product = try shop.offer()
    let reply = try shop.owner.patch("/api/products/\(product)", #"{"name":null,"price":null,"unit":null,"stock":1.0}"#)
    #expect(reply.pointers == ["/name", "/price", "/unit", "/stock"])
  }

  @Test("are changed only by the owner of their business")
  func ownership() throws {
    let shop = try Shop(server)
    let path = "/api/products/\(try shop.offer())"
    let stranger = try Shop(server).owner
    let product = #"{"name":"a","price":{"amount":1,"currency":"EUR"},"unit":"kg"}"#
    #expect(try Client(server).post("\(shop.path)/products", product).status == 401)
    #expect(try stranger.post("\(shop.path)/products", product).problem == "forbidden")
    #expect(try stranger.patch(path, #"{"stock":1}"#).problem == "forbidden")
    #expect(try stranger.delete(path).problem == "forbidden")
    for missing in ["nonsense", "\(Identifier.make(unixMilliseconds: 1))"] {
      #expect(try stranger.get("/api/products/\(missing)").status == 404)
      #expect(try stranger.patch("/api/products/\(missing)", "{}").status == 404)
      #expect(try stranger.get("/api/businesses/\(missing)/products").status == 404)
      #expect(try stranger.post("/api/businesses/\(missing)/products", product).status == 404)
    }
  }

  @Test("of a business are listed page by page, and go with it")
  func listing() throws {
    let shop = try Shop(server)
    let client = Client(server)
    #expect(try client.get("\(shop.path)/products").text == #"{"items":[],"nextCursor":null}"#)
    let products = try (1...3).map { try shop.offer("Sort \($0)") }
    let first = try client.get("\(shop.path)/products?limit=2")
    #expect(try first.json["items"]?.elements?.compactMap { $0["id"]?.text } == [products[2], products[1]])
    let cursor = try #require(try first.json["nextCursor"]?.text)
    let second = try client.get("\(shop.path)/products?limit=2&cursor=\(cursor)")
    #expect(try second.json["items"]?.elements?.compactMap { $0["id"]?.text } == [products[0]])
    #expect(try client.get("\(Shop(server).path)/products?cursor=\(cursor)").problem == "invalid-cursor")
    #expect(try shop.owner.delete(shop.path).status == 204)
    #expect(try client.get("\(shop.path)/products").status == 404)
    #expect(try client.get("/api/products/\(products[0])").status == 404)
  }

  @Test("are limited in number for each business, and that many can be imported, found and deleted")
  func many() throws {
    let shop = "01890000-0000-7000-8000-000000000001"
    let most = ProductInput.maximumOfBusiness
    let header = #"""
      {"kind":"header","schema":1}
      {"kind":"business","id":"\#(shop)","name":"Big","category":"a"}
      """#
    // Names that grow when they are split into words for the search, beyond what a row of words has room for.
    let lines = (0...most).map { number in
      let name = "\(number)x" + String(repeating: "\u{3316}", count: 100)
      return
        #"{"kind":"product","id":"\#(Identifier.make(unixMilliseconds: 1))","businessId":"\#(shop)","name":"\#(name)","price":{"amount":1,"currency":"EUR"},"unit":"kg"}"#
    }
    let (owner, id) = try server.signedIn()
    func take(_ lines: some Sequence<String>) throws -> Reply {
      let file = ([header] + lines).joined(separator: "\n")
      return try owner.send("POST", "/api/users/me/import", file, type: "application/x-ndjson")
    }
    let refused = try take(lines)
    #expect(refused.status == 422)
    let faults = try refused.json["errors"]?.elements ?? []
    #expect(faults.map { $0["line"]?.integer } == [Int64(most) + 3])
    #expect(faults.map { $0["pointer"]?.text } == ["/businessId"])

    #expect(try take(lines.dropLast(2)).status == 200)
    let made = try owner.get("/api/businesses?owner=me").json["items"]?.elements?.first?["id"]?.text
    let (path, token) = ("/api/businesses/\(try #require(made))", owner.token)
    let word = "w\(id)".filter { $0 != "-" }
    let statuses = try together(4) { [server] _ in
      let last = #"{"name":"Last","price":{"amount":1,"currency":"EUR"},"unit":"kg"}"#
      return try patiently { try Client(server, token: token).post("\(path)/products", last) }.status
    }
    #expect(statuses.sorted() == [201, 409, 409, 409])
    #expect(try owner.patch(path, #"{"name":"\#(word)"}"#).status == 200)
    #expect(try owner.get("/api/businesses?q=\(word)").json["items"]?.elements?.count == 1)
    #expect(try owner.delete(path).status == 204)
    #expect(try take(lines.dropLast()).status == 200)
    #expect(try owner.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status == 204)
    let left = try server.withDatabase { database in
      try await database.query(
        "SELECT FROM business_words JOIN businesses ON id = business_id WHERE deleted_at IS NOT NULL"
      ).count
    }
    #expect(left == 0)
  }
}
