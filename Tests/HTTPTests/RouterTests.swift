import Testing

@testable import HTTP

@Suite("The router")
struct RouterTests {
  static func router(_ templates: [(Method, String)]) -> Router {
    let router = Router()
    for (method, template) in templates { router.sync(method, template) { _, _ in } }
    return router
  }

  /// The match of a request as a line of text: its route and parameters, or a status.
  static func match(_ router: Router, _ method: Method, _ path: String) -> String {
    var parameters = PathParameters()
    let bytes = Array(path.utf8)
    switch router.table.match(method, bytes.span.bytes, &parameters) {
    case .route(let reference):
      let route = reference.takeUnretainedValue()
      let values = (0..<parameters.count).map { String(decoding: bytes[parameters[$0].range], as: UTF8.self) }
      return ([route.method.name.description, route.template] + values).joined(separator: " ")
    case .notFound: return "404"
    case .methodNotAllowed(let allow): return "405 " + allow
    case .options(let allow): return "OPTIONS " + allow
    case .notImplemented: return "501"
    }
  }

  static let cases: [(Method, String, String)] = [
    (.get, "/", "GET /"),
    (.get, "", "404"),
    (.get, "/api/orders", "GET /api/orders"),
    (.post, "/api/orders", "POST /api/orders"),
    (.head, "/api/orders", "GET /api/orders"),
    (.head, "/own", "HEAD /own"),
    (.get, "/api/orders/", "404"),
    (.get, "/api/orders/7", "GET /api/orders/{id} 7"),
    (.get, "/api/orders/summary", "GET /api/orders/summary"),
    (.post, "/api/orders/summary/transitions", "POST /api/orders/{id}/transitions summary"),
    (.post, "/api/orders/7/transitions", "POST /api/orders/{id}/transitions 7"),
    (.get, "/api/orders/7/other", "404"),
    (.get, "/api/orders//transitions", "404"),
    (.get, "/a/b/c", "GET /a/b/{y} c"),
    (.get, "/a/b/d", "GET /a/b/{y} d"),
    (.get, "/a/c/c", "GET /a/{x}/c c"),
    (.get, "/a/q/r", "GET /a/{x}/{y} q r"),
    (.get, "/api/orders/..", "404"),
    (.get, "/api/orders/%2E.", "404"),
    (.get, "/api/orders/.", "404"),
    (.get, "/api/orders/...", "GET /api/orders/{id} ..."),
    (.get, "/api/orders/%2Ex", "GET /api/orders/{id} %2Ex"),
    (.get, "/api/../api/orders", "404"),
    (.get, "/api/%6Frders", "404"),
    (.get, "/API/orders", "404"),
    (.put, "/api/orders", "405 GET, HEAD, POST, OPTIONS"),
    (.trace, "/api/orders", "405 GET, HEAD, POST, OPTIONS"),
    (.options, "/api/orders", "OPTIONS GET, HEAD, POST, OPTIONS"),
    (.delete, "/api/orders/7", "405 GET, HEAD, OPTIONS"),
    (.connect, "/api/orders", "501"),
    (.other, "/nowhere", "501"),
  ]

  @Test("prefers literals, falls back from them, and tells 404, 405 and 501 apart", arguments: cases)
  func table(_ method: Method, _ path: String, _ expected: String) {
    let router = Self.router([
      (.get, "/"), (.get, "/api/orders/{id}"), (.get, "/api/orders"), (.post, "/api/orders"),
      (.get, "/api/orders/summary"), (.post, "/api/orders/{id}/transitions"), (.get, "/own"), (.head, "/own"),
      (.get, "/a/{x}/c"), (.get, "/a/b/{y}"), (.get, "/a/{x}/{y}"),
    ])
    #expect(Self.match(router, method, path) == expected)
  }

  @Test("finds the end of a segment, however long it is", arguments: 1...24)
  func segments(_ length: Int) {
    let router = Self.router([(.post, "/api/orders/{id}/transitions"), (.get, "/api/orders/{id}")])
    // The neighbour of the slash (0x2F), and a character with 0xAF, which differs from it only in the highest bit.
    for character in ["0", "ï"] {
      let id = String(repeating: character, count: length)
      #expect(Self.match(router, .post, "/api/orders/\(id)/transitions") == "POST /api/orders/{id}/transitions \(id)")
    }
  }

  @Test("matches each of many paths, and none that only resembles one")
  func many() {
    let paths = (0..<300).map { "/api/resource-\($0)/part" }
    let router = Self.router(paths.map { (.get, $0) })
    for path in paths {
      #expect(Self.match(router, .get, path) == "GET " + path)
      #expect(Self.match(router, .get, path + "s") == "404")
    }
  }
}
