import Glibc
import Reactor
import Testing

@testable import HTTP

@Suite("A server with a memory budget")
struct MemoryTests {
  static let largeBytes = 300_000

  /// A server with two large answers, `/shared` and one of its own for each client (`/own`, also for a body), and with
  /// two routes for bodies, of which `/known` accepts them only from known clients.
  static func server(
    _ memory: MemoryBudget, _ change: (inout HTTPLimits) -> Void = { _ in }
  ) throws -> LiveServer {
    var limits = HTTPLimits()
    change(&limits)
    return try LiveServer(limits, memory: memory) { router, loop in
      ConnectionTests.addRoutes(router, loop)
      let shared = SharedBytes([UInt8](repeating: UInt8(ascii: "s"), count: largeBytes))
      router.async(.get, "/shared") { _ in Response(.ok, body: .shared(shared)) }
      router.async(.get, "/own") { _ in Response(.ok, body: .bytes([UInt8](repeating: 0x6F, count: largeBytes))) }
      let options = RouteOptions(body: .buffered(limit: 1 << 20))
      for path in ["/known", "/unknown"] {
        router.async(.post, path, options: options) { Response(.ok, body: .bytes(Array("\($0.body.count)".utf8))) }
      }
      router.async(.post, "/own", options: options) { _ in
        Response(.ok, body: .bytes([UInt8](repeating: 0x6F, count: largeBytes)))
      }
      let route = router.routes.first { $0.template == "/known" }!
      route.admission = { request in
        guard request.header("Authorization") == "me" else { throw RequestFault(.notFound, "who") }
        request.share = .known
      }
    }
  }

  /// A client with a small receive buffer that sends `count` requests and reads no answer.
  private func stalled(_ server: LiveServer, _ path: String, _ count: Int = 1) -> RawClient {
    let client = RawClient(server, receiveBuffer: 4_096)
    client.send(String(repeating: "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n", count: count))
    return client
  }

  private func post(_ path: String, _ fields: String, length: Int, sent: Int, _ server: LiveServer) -> RawClient {
    let client = RawClient(server)
    client.send("POST \(path) HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(length)\r\n\r\n")
    if sent > 0 { client.send(String(repeating: "a", count: sent)) }
    return client
  }

  @Test("bounds its bodies together with those of other servers, and leaves half for known clients")
  func bodies() throws {
    let memory = MemoryBudget(bytes: 4 << 20)
    // Long graces, so that the clients whose bodies are held are not cut off on a slow machine.
    let servers = try (0..<2).map { _ in
      try Self.server(memory) { ($0.shortGraceMilliseconds, $0.bodyGraceMilliseconds) = (60_000, 60_000) }
    }
    let held = (0..<3).map { post("/unknown", "", length: 500_000, sent: 490_000, servers[$0 % 2]) }
    #expect(servers[0].waits { _ in memory.usedBytes > 1_500_000 })
    let refused = post("/unknown", "", length: 500_000, sent: 490_000, servers[1])
    let refusal = try #require(refused.answer())
    #expect(refusal.status == 503)
    #expect(refusal.fields["connection"] == "close")
    let known = post("/known", "Authorization: me\r\n", length: 500_000, sent: 500_000, servers[0])
    #expect(known.answer()?.body == "500000")
    for client in held {
      client.send(String(repeating: "a", count: 10_000))
      #expect(client.answer()?.body == "500000")
    }
    #expect(servers[0].waits { _ in memory.usedBytes < 500_000 })
  }

  @Test("holds one copy of a shared body for all clients that read it")
  func shared() throws {
    let memory = MemoryBudget(bytes: 8 << 20)
    let server = try Self.server(memory)
    let clients = (0..<100).map { _ in stalled(server, "/shared", 50) }
    #expect(server.waits { $0.openConnections == 100 && $0.waitingOutputBytes > 50 * Self.largeBytes })
    #expect(memory.usedBytes < 4 << 20)
    let reader = RawClient(server)
    reader.get("/shared")
    #expect(reader.answer()?.body.utf8.count == Self.largeBytes)
    for _ in 0..<50 { try #require(clients[0].answer()?.body.utf8.count == Self.largeBytes) }
  }

  @Test("refuses answers that find no memory, serves others, and frees the memory when their clients are gone")
  func answers() throws {
    let memory = MemoryBudget(bytes: 8 << 20)
    let server = try Self.server(memory)
    var clients: [RawClient]? = (0..<100).map { _ in stalled(server, "/own", 50) }
    #expect(clients?.count == 100)
    #expect(server.waits { _ in memory.usedBytes > 3 << 20 })
    #expect(memory.usedBytes <= memory.bytes)
    let other = RawClient(server)
    for _ in 0..<100 {
      other.get("/live")
      try #require(other.answer()?.status == 200)
    }
    #expect(server.log.lines.contains("503 /own"))
    clients = nil
    #expect(server.waits { $0.openConnections == 1 && memory.usedBytes < 1 << 20 })
  }

  @Test("refuses an answer that finds no memory also when the client was asked for its body")
  func continued() throws {
    let server = try Self.server(MemoryBudget(bytes: 500_000))
    let client = post("/own", "Expect: 100-continue\r\n", length: 4, sent: 0, server)
    #expect(client.answer()?.status == 100)
    client.send("body")
    #expect(client.answer()?.status == 503)
  }

  @Test("breaks off clients that hold memory which others need, and none while there is enough")
  func shortage() throws {
    for (bytes, stays) in [(8 << 20, false), (256 << 20, true)] {
      let memory = MemoryBudget(bytes: bytes)
      let server = try Self.server(memory) { $0.shortGraceMilliseconds = 50 }
      let clients = (0..<40).map { _ in stalled(server, "/own") }
      #expect(server.waits { stays ? $0.activeConnections == 0 : $0.openConnections <= 10 })
      if stays { #expect(clients.last?.answer()?.body.utf8.count == Self.largeBytes) }
      let other = RawClient(server)
      other.get("/own")
      #expect(other.answer()?.body.utf8.count == Self.largeBytes)
    }
  }

  @Test("closes a connection that no block is left for, and serves again when one is free")
  func blocks() throws {
    let memory = MemoryBudget(bytes: 200_000)
    let server = try Self.server(memory)
    var clients: [RawClient]? = (0..<40).map { _ in
      let client = RawClient(server)
      client.send("GET /cut HTTP")
      return client
    }
    #expect(clients?.count == 40)
    #expect(server.waits { $0.acceptedConnections == 40 && $0.openConnections < 30 })
    #expect(memory.usedBytes <= memory.bytes)
    clients = nil
    #expect(server.waits { $0.openConnections == 0 && memory.usedBytes < 100_000 })
    let other = RawClient(server)
    other.get("/live")
    #expect(other.answer()?.status == 200)
  }

  @Test("reads long heads and the bodies behind them into larger blocks, byte by byte too")
  func growth() throws {
    let memory = MemoryBudget(bytes: 8 << 20)
    let server = try Self.server(memory)
    let padding = "X-Long: \(String(repeating: "x", count: 12_000))\r\n"
    for pieces in [1, 5_000, 100_000] {
      let client = RawClient(server)
      let text = Array(
        ("GET /live HTTP/1.1\r\nHost: a\r\n\(padding)\r\nPOST /echo HTTP/1.1\r\nHost: a\r\n\(padding)Content-Length: 20000"
          + "\r\n\r\n\(String(repeating: "b", count: 20_000))GET /slow/0 HTTP/1.1\r\nHost: a\r\n\(padding)\r\n").utf8)
      for start in stride(from: 0, to: text.count, by: pieces) {
        client.send(Array(text[start..<min(text.count, start + pieces)]))
      }
      #expect(client.answer()?.body == "live")
      #expect(client.answer()?.body == String(repeating: "b", count: 20_000))
      #expect(client.answer()?.body == "slow 0")
    }
    #expect(server.waits { $0.blocksHeld == 0 })
  }

  @Test("refuses a client that may not send a body before asking for the body or reading it")
  func admission() throws {
    let server = try Self.server(MemoryBudget(bytes: 8 << 20))
    let stranger = post("/known", "Expect: 100-continue\r\n", length: 1_000_000, sent: 0, server)
    let refusal = try #require(stranger.answer())
    #expect(refusal.status == 404)
    #expect(refusal.fields["connection"] == "close")
    #expect(post("/known", "", length: 1_000_000, sent: 1_000, server).answer()?.status == 404)
    let known = post("/known", "Authorization: me\r\nExpect: 100-continue\r\n", length: 1_000_000, sent: 0, server)
    #expect(known.answer()?.status == 100)
    known.send(String(repeating: "a", count: 1_000_000))
    #expect(known.answer()?.body == "1000000")
    #expect(post("/known", "Authorization: me\r\n", length: 9, sent: 9, server).answer()?.body == "9")
  }
}
