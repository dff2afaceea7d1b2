import JSON
import TestSupport
import Testing

extension Wire {
  /// Sends a request with a whole body and reads the answer.
  func request(
    _ method: String, _ target: String, headers: [String] = [], body: [UInt8]? = nil
  ) throws -> Reply {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: test\r\n"
    for header in headers { head += header + "\r\n" }
    if let body { head += "Content-Length: \(body.count)\r\n" }
    try send(Array((head + "\r\n").utf8) + (body ?? []))
    return try receive(hasBody: method != "HEAD")
  }

  func get(_ target: String, headers: [String] = []) throws -> Reply { try request("GET", target, headers: headers) }
}

/// A client of the API, with a connection of its own and perhaps a token.
final class Client {
  let port: UInt16
  var token: String?
  private var wire: Wire?

  init(port: UInt16, token: String? = nil) {
    self.port = port
    self.token = token
  }

  convenience init(_ server: LiveServer, token: String? = nil) { self.init(port: server.port, token: token) }

  /// Sends a request, with `json` as its body, and reads the answer; connects if there is no connection.
  @discardableResult
  func send(
    _ method: String, _ target: String, _ json: String? = nil, headers: [String] = [], type: String? = nil
  ) throws -> Reply {
    let wire = try self.wire ?? Wire(port: port)
    self.wire = wire
    var headers = headers
    if let token { headers.append("Authorization: Bearer \(token)") }
    if json != nil { headers.append("Content-Type: \(type ?? "application/json")") }
    let reply = try wire.request(method, target, headers: headers, body: json.map { Array($0.utf8) })
    if reply.header("connection") == "close" { self.wire = nil }
    return reply
  }

  @discardableResult
  func get(_ target: String, headers: [String] = []) throws -> Reply { try send("GET", target, headers: headers) }

  @discardableResult
  func post(_ target: String, _ json: String, headers: [String] = []) throws -> Reply {
    try send("POST", target, json, headers: headers)
  }

  @discardableResult
  func patch(_ target: String, _ json: String, headers: [String] = []) throws -> Reply {
    try send("PATCH", target, json, headers: headers)
  }

  @discardableResult
  func delete(_ target: String, _ json: String? = nil, headers: [String] = []) throws -> Reply {
    try send("DELETE", target, json, headers: headers)
  }

  /// The pages of a list from `target` on, as each leads to the next.
  func pages(from target: String) throws -> [Reply] {
    var pages = [try get(target)]
    while let next = pages.last?.next {
      try #require(pages.count < 1_000, "\(target) never ends")
      pages.append(try get(next))
    }
    return pages
  }
}

/// The answer of `send`, which is repeated up to 100 times while the answer is 503: on a busy machine a wait in a queue
/// may have been too long.
func patiently(_ send: () throws -> Reply) rethrows -> Reply {
  var reply = try send()
  for _ in 0..<100 where reply.status == 503 { reply = try send() }
  return reply
}

extension Reply {
  /// The body as JSON; throws if it is not JSON.
  var json: JSONValue { get throws { try JSONReader.parse(body) } }

  /// The items of a page of a list; fails the test if the body is not a page.
  var items: [JSONValue] { get throws { try #require(try json["items"]?.elements, "\(text)") } }

  /// The path of the next page of a list; nil on the last one.
  var next: String? { header("link").map { String($0.dropFirst().prefix { $0 != ">" }) } }

  /// The code of the problem; nil if the answer is not a problem.
  var problem: String? {
    guard header("content-type") == "application/problem+json" else { return nil }
    return (try? json)?["type"]?.text?.split(separator: ":").last.map(String.init)
  }

  /// The pointers of the faults that validation found.
  var pointers: [String] { ((try? json)?["errors"]?.elements ?? []).compactMap { $0["pointer"]?.text } }
}
