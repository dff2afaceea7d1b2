import Glibc
import Reactor
import Testing

@testable import HTTP

@Suite("A connection")
struct ConnectionTests {
  /// Adds the routes that most tests use.
  static func addRoutes(_ router: Router, _ loop: EventLoop) {
    router.sync(.get, "/live") { _, writer in
      writer.begin(.ok)
      writer.fields.append("Content-Type", "text/plain")
      writer.end("live")
    }
    router.async(.get, "/slow/{milliseconds}") { request in
      let text = request.parameter("milliseconds")
      await request.loop.sleep(nanoseconds: UInt64(text)! * 1_000_000)
      return Response(.ok, body: .bytes(Array("slow \(text)".utf8)))
    }
    router.async(.post, "/echo", options: RouteOptions(body: .buffered(limit: 100_000))) { request in
      Response(.ok, body: .bytes(request.body))
    }
    router.async(.get, "/fails") { _ in throw StreamClosed() }
    router.async(.get, "/faults") { request in
      _ = try request.query.value("a")
      return Response(.noContent)
    }
    router.sync(.get, "/forgets") { _, _ in }
    let answer = FixedAnswer(.ok, headers: ["X-Fixed": "yes"], body: Self.fixedBody)
    router.sync(.get, "/fixed") { _, writer in writer.send(answer) }
    router.add(.get, "/deferred/{how}", .deferred(answerDeferred))
  }

  private static func answerDeferred(_ request: Request, _ answer: DeferredAnswer) {
    switch request.parameter("how") {
    case "at-once": answer.send(Response(.ok, body: .bytes(Array("at once".utf8))))
    case "later":
      request.loop.schedule(afterNanoseconds: 20_000_000) {
        answer.send(Response(.ok, body: .bytes(Array("later".utf8))))
      }
    case "task":
      answer.run { request in
        await request.loop.sleep(nanoseconds: 1_000_000)
        return Response(.ok, body: .bytes(Array("task".utf8)))
      }
    default: answer.fail(RequestFault(.notFound, "failed"))
    }
  }

  static let fixedBody = [UInt8](repeating: UInt8(ascii: "x"), count: 1_000)

  static func server(_ limits: HTTPLimits = HTTPLimits()) throws -> LiveServer { try LiveServer(limits, addRoutes) }

  @Test("answers requests one after another, with a date and a length")
  func keepAlive() throws {
    let server = try Self.server()
    let client = RawClient(server)
    for _ in 0..<3 {
      client.get("/live")
      let answer = try #require(client.answer())
      #expect(answer.status == 200)
      #expect(answer.body == "live")
      #expect(answer.fields["content-type"] == "text/plain")
      #expect(answer.fields["connection"] == nil)
      #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
    }
    #expect(server.log.lines == ["200 /live", "200 /live", "200 /live"])
    #expect(server.onLoop { $0.openConnections } == 1)
    #expect(server.onLoop { $0.activeConnections } == 0)
  }

  @Test("answers pipelined requests in their order, a slow one before those that need no waiting")
  func pipelining() throws {
    let server = try Self.server()
    let client = RawClient(server)
    let paths = ["/live", "/slow/50", "/live", "/nowhere", "/slow/0", "/live"]
    client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
    #expect(paths.map { _ in client.answer()?.body } == ["live", "slow 50", "live", "", "slow 0", "live"])
    #expect(server.onLoop { $0.activeConnections } == 0)
  }

  @Test("answers all pipelined requests, even more than it has room for")
  func longPipeline() throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.send(String(repeating: "GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n", count: 4_000))
    for _ in 0..<4_000 { try #require(client.answer()?.body.utf8.count == Self.fixedBody.count) }
  }

  @Test("adds what changes from request to request to an answer that was rendered once")
  func fixedAnswer() throws {
    let server = try Self.server()
    let client = RawClient(server)
    for (method, version, asked, field) in [
      ("GET", 1, "", nil), ("HEAD", 1, "", nil), ("GET", 0, "Connection: keep-alive\r\n", "keep-alive"),
      ("GET", 1, "Connection: close\r\n", "close"),
    ] {
      client.send("\(method) /fixed HTTP/1.\(version)\r\nHost: a\r\n\(asked)\r\n")
      let answer = try #require(client.answer(toHead: method == "HEAD"))
      #expect(answer.status == 200)
      #expect(answer.fields["x-fixed"] == "yes")
      #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
      #expect(answer.fields["content-length"] == "1000")
      #expect(answer.fields["connection"] == field)
      #expect(answer.body.utf8.count == (method == "HEAD" ? 0 : 1_000))
    }
    #expect(client.receiveAll() == "")
  }

  @Test("sends all of its last answer, to a slow reader and to one that has sent requests beyond it")
  func lastAnswer() throws {
    let length = 8 << 20
    let server = try LiveServer { router, _ in
      let answer = FixedAnswer(.ok, body: [UInt8](repeating: UInt8(ascii: "x"), count: length))
      router.sync(.get, "/large") { _, writer in writer.send(answer) }
    }
    for more in ["", String(repeating: "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", count: 4_000)] {
      let client = RawClient(server, receiveBuffer: 4_096)
      client.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + more)
      // The server waits for a full socket.
      #expect(server.waits { $0.waitingOutputBytes > 0 })
      let answer = try #require(client.answer())
      #expect(answer.fields["connection"] == "close")
      #expect(answer.body.utf8.count == length)
      #expect(client.receiveAll() == "")
    }
    #expect(server.waits { $0.openConnections == 0 })
  }

  @Test("answers deferred requests at once, later, with an error or from a task, in the order of the requests")
  func deferred() throws {
    let server = try Self.server()
    let client = RawClient(server)
    let paths = ["later", "at-once", "task", "fails", "later", "at-once"]
    client.send(paths.map { "GET /deferred/\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
    let bodies = paths.map { _ in client.answer()?.body }
    #expect(bodies == ["later", "at once", "task", "failed", "later", "at once"])
    #expect(server.onLoop { $0.activeConnections } == 0)
  }

  @Test("drops a deferred answer when its client is gone")
  func deferredTooLate() throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.get("/deferred/later")
    #expect(server.waits { $0.activeConnections == 1 })
    client.reset()
    #expect(server.waits { $0.droppedAnswers == 1 && $0.activeConnections == 0 })
    #expect(server.log.lines == ["200 /deferred/{how} dropped"])
  }

  @Test("finds requests and bodies in bytes that come one by one")
  func bytes() throws {
    let server = try Self.server()
    let client = RawClient(server)
    let text =
      "GET /live HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x\r\ndefg\r\n0\r\nT: x\r\n\r\n"
      + "GET /live HTTP/1.1\r\nHost: a\r\n\r\n"
    for byte in text.utf8 {
      client.send([byte])
      usleep(200)
    }
    #expect((0..<4).map { _ in client.answer()?.body } == ["live", "hello", "abcdefg", "live"])
  }

  @Test("closes when the client asks for it, or speaks HTTP/1.0 without keep-alive")
  func closing() throws {
    let server = try Self.server()
    for head in ["GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /live HTTP/1.0\r\n\r\n"] {
      let client = RawClient(server)
      client.send(head)
      let text = try #require(client.receiveAll())
      #expect(text.contains("\r\nConnection: close\r\n"))
      #expect(text.hasSuffix("\r\n\r\nlive"))
    }
    let client = RawClient(server)
    client.send("GET /live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(client.answer()?.fields["connection"] == "keep-alive")
    client.get("/live")
    #expect(client.answer()?.status == 200)
  }

  @Test("answers a client that has half-closed, and then closes")
  func halfClose() throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.send("GET /slow/30 HTTP/1.1\r\nHost: a\r\n\r\nGET /live HTTP/1.1\r\nHost: a\r\n\r\nGET /cut")
    client.endSending()
    let text = try #require(client.receiveAll())
    #expect(text.contains("slow 30"))
    #expect(text.hasSuffix("live"))
    #expect(server.waits { $0.openConnections == 0 })
  }

  static let refusals: [(String, Int, Bool)] = [
    ("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 404, true),
    ("POST /live HTTP/1.1\r\nHost: a\r\n\r\n", 405, true),
    ("POST /live HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 405, true),
    ("BREW /live HTTP/1.1\r\nHost: a\r\n\r\n", 501, true),
    ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, true),
    ("GET /slow/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, true),
    ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, true),
    ("GET /fails HTTP/1.1\r\nHost: a\r\n\r\n", 500, true),
    ("GET /faults?a=1&a=2 HTTP/1.1\r\nHost: a\r\n\r\n", 400, true),
    ("GET /forgets HTTP/1.1\r\nHost: a\r\n\r\n", 500, true),
    ("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", 404, true),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204, true),
    ("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n", 204, true),
    ("GET /live HTTP/1.1\r\n\r\n", 400, false),
    ("GET /live HTTP/2.0\r\n\r\n", 505, false),
    ("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417, false),
    ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n", 413, false),
    ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\n", 400, false),
    ("GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414, false),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 17_000))\r\n\r\n", 431, false),
  ]

  @Test("refuses a request with the right status, reports it once, and stays open if it can", arguments: refusals)
  func refusal(_ text: String, _ status: Int, _ goesOn: Bool) throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.send(text)
    let answer = try #require(client.answer())
    #expect(answer.status == status)
    #expect(answer.fields["connection"] == (goesOn ? nil : "close"))
    client.get("/live")
    if goesOn { #expect(client.answer()?.body == "live") } else { #expect(client.receiveAll() == "") }
    #expect(server.log.lines.count == (goesOn ? 2 : 1))
    #expect(server.log.lines.first?.hasPrefix("\(status) ") == true)
  }

  @Test("lists in Allow the methods of a path, also to TRACE, and for OPTIONS * those of any path")
  func allow() throws {
    let server = try Self.server()
    let client = RawClient(server)
    for request in ["DELETE /live", "TRACE /live", "OPTIONS /live"] {
      client.send("\(request) HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(client.answer()?.fields["allow"] == "GET, HEAD, OPTIONS")
    }
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer()?.fields["allow"] == "GET, HEAD, POST, OPTIONS")
  }

  @Test("answers HEAD like GET, without the body")
  func head() throws {
    let server = try Self.server()
    let client = RawClient(server)
    for path in ["/live", "/slow/0", "/nowhere"] {
      client.get(path)
      let get = try #require(client.answer())
      client.send("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
      let head = try #require(client.answer(toHead: true))
      #expect(head.fields["content-length"] == get.fields["content-length"])
      #expect(head.status == get.status)
    }
    client.get("/live")
    #expect(client.answer()?.body == "live")
  }
}
