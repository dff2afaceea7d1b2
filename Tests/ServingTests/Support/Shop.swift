import JSON
import Testing
import Values

/// A business with its owner, as tests of commerce need it.
struct Shop {
  let owner: Client
  let ownerID: Identifier
  let id: String
  /// The path of the business.
  var path: String { "/api/businesses/\(id)" }

  init(_ server: LiveServer, name: String = "Hill Farm", category: String = "vegetables") throws {
    (owner, ownerID) = try server.signedIn()
    let reply = try owner.post("/api/businesses", #"{"name":"\#(name)","category":"\#(category)"}"#)
    id = try #require(try reply.json["id"]?.text)
  }

  /// Offers a product and returns its id; without `stock` it is unlimited.
  func offer(
    _ name: String = "Carrots", amount: Int64 = 350, currency: String = "EUR", stock: Int64? = nil
  ) throws -> String {
    let stock = stock.map { "\($0)" } ?? "null"
    let reply = try owner.post(
      "\(path)/products",
      #"{"name":"\#(name)","price":{"amount":\#(amount),"currency":"\#(currency)"},"unit":"kg","stock":\#(stock)}"#)
    return try #require(try reply.json["id"]?.text)
  }

  /// The stock of a product; nil if it is unlimited.
  func stock(of product: String) throws -> Int64? { try owner.get("/api/products/\(product)").json["stock"]?.integer }
}

extension Client {
  /// The body of an order.
  static func orderBody(_ business: String, _ lines: [(product: String, quantity: Int64)]) -> String {
    let lines = lines.map { #"{"productId":"\#($0.product)","quantity":\#($0.quantity)}"# }.joined(separator: ",")
    return #"{"businessId":"\#(business)","lines":[\#(lines)]}"#
  }

  /// Sends an order, with an idempotency key of its own unless `key` is given; `total` is the expected one, as JSON.
  func order(
    _ business: String, _ lines: [(product: String, quantity: Int64)], expecting total: String? = nil,
    key: String? = nil
  ) throws -> Reply {
    let key = key ?? "\(Identifier.make(unixMilliseconds: 0))"
    let more = total.map { #","expectedTotal":\#($0)}"# } ?? "}"
    let body = Self.orderBody(business, lines).dropLast() + more
    return try post("/api/orders", String(body), headers: ["Idempotency-Key: \(key)"])
  }
}
