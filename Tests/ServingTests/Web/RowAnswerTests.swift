import Testing

@Suite("What is read by its key", .blocking)
struct RowAnswerTests {
  /// A user, and paths of theirs that are answered from one row each.
  private static func paths(_ server: LiveServer) throws -> (client: Client, paths: [String]) {
    let shop = try Shop(server)
    let (client, _) = try server.signedIn()
    let order = try client.order(shop.id, [(try shop.offer(), 1)])
    let garden = try client.makeGarden()
    let device = try client.makeDevice(in: garden)
    return (
      client,
      [
        "/api/users/me", "/api/gardens/\(garden)", "/api/devices/\(device.id)",
        try #require(order.header("location")),
      ]
    )
  }

  @Test("is the same whether the loop knows the session or has to ask for it, for GET, HEAD and If-None-Match")
  func sameAnswer() throws {
    let server = try LiveServer(["WORKERS": "1", "RATE_LIMIT_USER": "100000/10"])
    defer { server.stop() }
    let (client, paths) = try Self.paths(server)
    for path in paths {
      let replies = try (0..<5).map { _ in try client.get(path) }
      #expect(replies.allSatisfy { $0.status == 200 && $0.body == replies[0].body }, "\(path)")
      for name in ["etag", "cache-control", "content-type", "ratelimit-policy"] {
        #expect(replies[0].header(name) != nil)
        #expect(replies.allSatisfy { $0.header(name) == replies[0].header(name) }, "\(path) \(name)")
      }
      let tag = try #require(replies[0].header("etag"))
      #expect(try client.get(path, headers: ["If-None-Match: \(tag)"]).status == 304)
      #expect(try client.send("HEAD", path).header("content-length") == "\(replies[0].body.count)")
      let nobody = Client(server)
      #expect([401, 404].contains(try nobody.get(path).status))
      // As some clients write the field.
      #expect(try nobody.get(path, headers: ["Authorization: bearer  \(client.token!)"]).body == replies[0].body)
    }
    let (stranger, _) = try server.signedIn()
    for _ in 0..<2 { for path in paths.dropFirst() { #expect([403, 404].contains(try stranger.get(path).status)) } }
  }

  @Test("is refused at once when the session has ended, on the loop that knew it")
  func endedSession() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let (client, paths) = try Self.paths(server)
    for path in paths { #expect(try client.get(path).status == 200) }
    #expect(try client.delete("/api/sessions/current").status == 204)
    for path in paths { #expect(try client.get(path).status == 401) }
  }

  @Test("is answered in order on a pipelined connection, between requests that need a task")
  func pipelined() throws {
    let server = try LiveServer.shared.get()
    let (client, paths) = try Self.paths(server)
    let wire = try Wire(port: server.port)
    let targets = (0..<60).map { $0 % 5 == 4 ? "/api/sessions" : paths[$0 % 5] }
    let expected = try targets.map { try client.get($0) }
    try wire.send(
      targets.map { "GET \($0) HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(client.token!)\r\n\r\n" }.joined())
    for index in targets.indices {
      let reply = try wire.receive(hasBody: true)
      #expect(reply.status == 200 && reply.header("etag") == expected[index].header("etag"), "\(index)")
    }
  }

  @Test("is answered 503 at once while Postgres is away, and served again afterwards")
  func outage() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let (client, paths) = try Self.paths(server)
    for path in paths { #expect(try client.get(path).status == 200) }
    try server.losePostgres()
    for path in paths {
      let reply = try client.get(path)
      #expect(reply.status == 503 && reply.header("retry-after") != nil, "\(path) \(reply.status)")
    }
    try server.regainPostgres()
    #expect(try holds(within: 60) { try paths.allSatisfy { try client.get($0).status == 200 } })
  }
}
