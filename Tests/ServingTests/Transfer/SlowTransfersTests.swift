import Glibc
import Testing

@Suite("A slow export or import", .blocking)
struct SlowTransfersTests {
  private static let type = "application/x-ndjson"
  private static let header = #"{"kind":"header","schema":1,"exportedAt":"2026-11-21T09:30:00.000Z"}"#

  private let server: LiveServer
  private let slow: Client
  private let other: Client

  init() throws {
    // One place for transfers, whose holder can count as slow after three seconds.
    server = try LiveServer.shared.get().replica([
      "WORKERS": "1", "DATABASE_TRANSACTION_CONNECTIONS": "2", "HTTP_BODY_GRACE_SECONDS": "3",
    ])
    (slow, other) = (try server.signedIn().client, try server.signedIn().client)
  }

  private struct Trickle {
    let wire: Wire
    var left: Int

    /// Sends a line of blanks and waits, at a rate above the minimum of all bodies and below that of transfers.
    mutating func send() throws {
      try wire.send(String(repeating: " ", count: 499) + "\n")
      left -= 500
      usleep(200_000)
    }

    /// Sends the rest at once.
    mutating func finish() throws -> Reply {
      try wire.send(String(repeating: "\n", count: left))
      return try wire.receive()
    }
  }

  /// Begins an import, which has the place once the server asks for the file.
  private func begin() throws -> Trickle {
    let wire = try Wire(port: server.port)
    let (garden, length) = (#"{"kind":"garden","id":"019aa5c0-0000-7000-8000-000000000001","name":"Bed"}"#, 50_000)
    let first = "\(Self.header)\n\(garden)\n"
    try wire.send(
      """
      POST /api/users/me/import HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(try #require(slow.token))\r\n\
      Content-Type: \(Self.type)\r\nContent-Length: \(length)\r\nExpect: 100-continue\r\n\r\n
      """)
    let asked = String(decoding: try wire.take(until: Array("\r\n\r\n".utf8)), as: UTF8.self)
    try #require(asked.hasPrefix("HTTP/1.1 100 "))
    try wire.send(first)
    return Trickle(wire: wire, left: length - first.utf8.count)
  }

  private func gardens() throws -> Int? { try slow.get("/api/gardens?owner=me").json["items"]?.elements?.count }

  @Test("continues to its end while nobody waits for its place")
  func alone() throws {
    defer { server.stop() }
    var trickle = try begin()
    for _ in 0..<20 { try trickle.send() }
    let reply = try trickle.finish()
    #expect(reply.status == 200, "\(reply.text)")
    #expect(try gardens() == 1)
  }

  @Test("keeps its place when requests come that need none")
  func needless() throws {
    defer { server.stop() }
    var trickle = try begin()
    // The transfer counts as slow by now.
    for _ in 0..<20 { try trickle.send() }
    #expect(try other.send("HEAD", "/api/users/me/export").status == 200)
    let key = "Idempotency-Key: \(String(repeating: "k", count: 256))"
    let refused = try other.send("POST", "/api/users/me/import", Self.header, headers: [key], type: Self.type)
    #expect(refused.status == 400, "\(refused.text)")
    #expect(try trickle.finish().status == 200)
  }

  @Test("gives its place to a user who waits for one, and nothing of it is stored")
  func givesWay() throws {
    defer { server.stop() }
    var trickle = try begin()
    let isLetIn = try holds(within: 30) {
      try trickle.send()
      // The user of the transfer cannot displace it.
      #expect(try slow.get("/api/users/me/export").status == 503)
      let reply = try other.get("/api/users/me/export")
      if reply.status == 200 { return true }
      #expect(reply.status == 503 && reply.problem == "overloaded" && reply.header("retry-after") == "10")
      return false
    }
    #expect(isLetIn)
    let reply = try trickle.wire.receive()
    #expect(reply.status == 503 && reply.problem == "overloaded" && reply.header("retry-after") == "10")
    #expect(reply.text.contains("too slowly while others waited"))
    #expect(try gardens() == 0)
    var again = try begin()
    #expect(try again.finish().status == 200)
  }

  @Test("is ended if its client does not read while somebody else waits for the place")
  func reader() throws {
    defer { server.stop() }
    let owner = try server.signedIn()
    let plot = try Plot(server, owner: owner.id)
    let garden = plot.garden
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO insights (id, garden_id, type, provider, severity, title, text, evidence, created_at)
        SELECT gen_random_uuid(), \(garden), 'summary', 'rules', 'info', 'A week', repeat('x', 10000), '{}', now()
        FROM generate_series(1, 2000)
        """)
    }
    let wire = try Wire(port: server.port, receiveBytes: 8_192)
    try wire.send(
      """
      GET /api/users/me/export HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(try #require(owner.client.token))\r
      \r\n
      """)
    #expect(String(decoding: try wire.take(until: Array("\r\n\r\n".utf8)), as: UTF8.self).contains(" 200 "))
    #expect(try holds(within: 30) { try other.get("/api/users/me/export").status == 200 })
    #expect(throws: WireError.self) { while try wire.takeChunk() != nil {} }
    #expect(holds { server.log.lines.contains { $0.contains("Ended a slow export") } })
  }
}
