import Testing
import Values

@Suite("Names", .blocking)
struct NamesTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("that are blank are refused wherever one is set, and no other fault is reported")
  func blank() throws {
    let shop = try Shop(server)
    let product = try shop.offer()
    let plot = try Plot(server, owner: shop.ownerID)
    let name = #"{"name":"NAME"}"#
    let price = #""price":{"amount":1,"currency":"EUR"}"#
    let order = #"{"businessId":"\#(shop.id)","lines":[{"productId":"\#(product)","quantity":1}]"#
    let requests = [
      ("POST", "/api/gardens", name, "/name"), ("PATCH", "/api/gardens/\(plot.garden)", name, "/name"),
      ("POST", "/api/gardens/\(plot.garden)/devices", name, "/name"),
      ("PATCH", "/api/devices/\(plot.device)", name, "/name"),
      ("POST", "/api/businesses", #"{"name":"NAME","category":"honey"}"#, "/name"), ("PATCH", shop.path, name, "/name"),
      ("POST", shop.path + "/products", #"{"name":"NAME","unit":"kg",\#(price)}"#, "/name"),
      ("POST", shop.path + "/products", #"{"name":"Leeks","unit":"NAME",\#(price)}"#, "/unit"),
      ("PATCH", "/api/products/\(product)", name, "/name"),
      (
        "POST", "/api/users", #"{"email":"n@example.org","password":"correct horse battery","displayName":"NAME"}"#,
        "/displayName"
      ),
      ("PATCH", "/api/users/me", #"{"displayName":"NAME"}"#, "/displayName"),
      ("POST", "/api/tokens", #"{"name":"NAME","scopes":["read"]}"#, "/name"),
      ("POST", "/api/orders", order + #","contact":{"name":"NAME"}}"#, "/contact/name"),
      ("POST", "/api/orders", order + #","fulfilment":{"kind":"delivery","address":"NAME"}}"#, "/fulfilment/address"),
    ]
    for blank in [" ", "\u{200B}", "\u{2060}", "\u{FEFF}", " \u{A0}\u{3000}"] {
      for (method, target, body, pointer) in requests {
        let key = "Idempotency-Key: \(Identifier.make(unixMilliseconds: 0))"
        let reply = try shop.owner.send(method, target, body.replacing("NAME", with: blank), headers: [key])
        #expect(reply.status == 422 && reply.pointers == [pointer], "\(method) \(target): \(reply.text)")
        #expect(reply.text.contains("must not be blank"))
      }
    }
  }

  @Test("that are blank from an earlier release stay, and what has one can be changed otherwise")
  func earlier() throws {
    let (owner, id) = try server.signedIn()
    let plot = try Plot(server, owner: id, device: " ")
    let changed = try owner.patch("/api/devices/\(plot.device)", #"{"soil":"sandy-loam"}"#)
    #expect(changed.status == 200, "\(changed.text)")
    #expect(try changed.json["name"]?.text == " ")
    #expect(try owner.patch("/api/devices/\(plot.device)", #"{"name":"Bed"}"#).status == 200)
  }
}
