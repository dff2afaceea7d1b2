import JSON
import Testing
import Values

@Suite("The caller's address", .blocking)
struct CallerTests {
  @Test("is the last one in X-Forwarded-For that is not a trusted proxy's, as far back as the list can be read")
  func addresses() throws {
    let server = try LiveServer.shared.get().replica(["TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8,fd00::/8"])
    defer { server.stop() }
    let cases: [(fields: [String], client: String)] = [
      ([], "127.0.0.1"), (["203.0.113.7"], "203.0.113.7"), ([" 203.0.113.7 "], "203.0.113.7"),
      // Addresses further left were written by the client itself.
      (["198.51.100.1, 203.0.113.7"], "203.0.113.7"), (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
      (["203.0.113.7, 10.1.2.3, 10.4.5.6"], "203.0.113.7"), (["2001:db8::7, fd00::1"], "2001:db8::7"),
      // Where only proxies are listed, the first of them is all that is known.
      (["10.1.2.3, 10.4.5.6"], "10.1.2.3"), (["nobody"], "127.0.0.1"), (["203.0.113.7, nobody, 10.1.2.3"], "10.1.2.3"),
      ([""], "127.0.0.1"), (["203.0.113.7,"], "203.0.113.7"), (["203.0.113.7:443"], "127.0.0.1"),
      // The list is read only up to a bound.
      (["203.0.113.7, " + [String](repeating: "10.1.2.3", count: 16).joined(separator: ", ")], "10.1.2.3"),
    ]
    for (fields, client) in cases {
      #expect(try address(seen: fields, by: server) == client, "\(fields)")
    }
  }

  @Test("is the peer's where no proxy is trusted")
  func untrusted() throws {
    let server = try LiveServer.shared.get()
    #expect(try address(seen: ["203.0.113.7"], by: server) == "127.0.0.1")
  }

  /// The client address in the log line of a request with these `X-Forwarded-For` fields.
  private func address(seen fields: [String], by server: LiveServer) throws -> String? {
    let reply = try Wire(port: server.port).get(
      "/version", headers: fields.map { "X-Forwarded-For: \($0)" })
    let id = try #require(reply.header("x-request-id"))
    func line() -> String? { server.log.lines.last { $0.contains(id) } }
    let isLogged = holds { line() != nil }
    #expect(isLogged)
    guard let line = line() else { return nil }
    return try JSONReader.parse(Array(line.utf8))["ip"]?.text
  }
}

@Suite("Pages of other origins", .blocking)
struct CrossOriginTests {
  private static let origin = "https://app.example.org"

  @Test("may call where their origin is configured, and are told what they may read")
  func allowed() throws {
    let server = try LiveServer.shared.get().replica(["CORS_ORIGINS": "\(Self.origin),https://other.example.org"])
    defer { server.stop() }
    let wire = try Wire(port: server.port)
    let reply = try wire.get("/api/gardens", headers: ["Origin: \(Self.origin)"])
    #expect(reply.status == 200 && reply.header("access-control-allow-origin") == Self.origin)
    #expect(reply.header("vary")?.contains("Origin") == true)
    #expect(reply.header("access-control-expose-headers")?.contains("ETag") == true)

    let preflight = try wire.request(
      "OPTIONS", "/api/gardens", headers: ["Origin: \(Self.origin)", "Access-Control-Request-Method: POST"])
    #expect(preflight.status == 204 && preflight.header("access-control-allow-origin") == Self.origin)
    #expect(preflight.header("access-control-allow-methods")?.contains("POST") == true)
    #expect(preflight.header("access-control-allow-headers")?.contains("Idempotency-Key") == true)
    #expect(preflight.header("access-control-max-age") == "600")

    // The page may read a refusal, too.
    let refusal = try wire.get("/api/users/me", headers: ["Origin: \(Self.origin)"])
    #expect(refusal.status == 401 && refusal.header("access-control-allow-origin") == Self.origin)
  }

  @Test("may not call where only other origins are configured, and caches are told that answers depend on the origin")
  func refused() throws {
    let server = try LiveServer.shared.get().replica(["CORS_ORIGINS": Self.origin])
    defer { server.stop() }
    let wire = try Wire(port: server.port)
    for origin in ["https://evil.example.org", "http://app.example.org", "\(Self.origin):444", "null"] {
      let reply = try wire.get("/api/gardens", headers: ["Origin: \(origin)"])
      #expect(reply.status == 200 && reply.header("access-control-allow-origin") == nil, "\(origin)")
      #expect(reply.header("vary")?.contains("Origin") == true)
      let preflight = try wire.request(
        "OPTIONS", "/api/gardens", headers: ["Origin: \(origin)", "Access-Control-Request-Method: POST"])
      #expect(preflight.header("access-control-allow-methods") == nil, "\(origin)")
    }
    // OPTIONS that is not a preflight.
    #expect(
      try wire.request("OPTIONS", "/api/gardens", headers: ["Origin: \(Self.origin)"])
        .header("access-control-allow-methods") == nil)
  }

  @Test("may not call unless some origin is configured")
  func unconfigured() throws {
    let wire = try Wire(port: LiveServer.shared.get().port)
    let reply = try wire.get("/api/gardens", headers: ["Origin: \(Self.origin)"])
    #expect(reply.header("access-control-allow-origin") == nil)
    #expect(reply.headers.allSatisfy { !$0.name.hasPrefix("access-control-") })
  }

  @Test("may call from any origin if that is configured")
  func anywhere() throws {
    let server = try LiveServer.shared.get().replica(["CORS_ORIGINS": "*"])
    defer { server.stop() }
    let reply = try Wire(port: server.port).get("/api/gardens", headers: ["Origin: https://any.example.org"])
    #expect(reply.header("access-control-allow-origin") == "https://any.example.org")
  }
}
