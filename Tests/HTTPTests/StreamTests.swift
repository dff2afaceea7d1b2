import Glibc
import Reactor
import Synchronization
import Testing

@testable import HTTP

@Suite("A stream")
struct StreamTests {
  static let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 10_000)

  static func server(_ limits: HTTPLimits = HTTPLimits()) throws -> LiveServer {
    try LiveServer(limits) { router, loop in
      addAnswers(to: router, loop)
      addEnds(to: router, loop)
      addBodies(to: router, loop)
    }
  }

  /// Adds streamed answers that end properly, or would if they were read to the end.
  private static func addAnswers(to router: Router, _ loop: EventLoop) {
    router.async(.get, "/numbers/{count}") { request in
      let count = Int(request.parameter("count"))!
      return Response(
        .ok,
        body: .stream { writer in
          for number in 0..<count {
            try await writer.write(Array("\(number),".utf8))
            await loop.sleep(nanoseconds: 100_000)
          }
        })
    }
    router.async(.get, "/known/{length}/{written}") { request in
      let (length, written) = (Int(request.parameter("length"))!, Int(request.parameter("written"))!)
      return Response(
        .ok,
        body: .stream(length: length) { writer in
          try await writer.write([UInt8](repeating: UInt8(ascii: "k"), count: written))
        })
    }
    router.async(.get, "/big/{pieces}") { request in
      let count = Int(request.parameter("pieces"))!
      return Response(.ok, body: .stream { writer in for _ in 0..<count { try await writer.write(piece) } })
    }
  }

  /// Adds answers that are not written to their end: they fail, the client leaves, or they are broken off.
  private static func addEnds(to router: Router, _ loop: EventLoop) {
    router.async(.get, "/breaks") { _ in
      Response(
        .ok,
        body: .stream { writer in
          try await writer.write(Array("begun".utf8))
          throw StreamClosed()
        })
    }
    router.async(.get, "/events") { request in
      Response(
        .ok,
        body: .stream { writer in
          try await writer.write(Array("hello".utf8))
          let closed = Pending<Void>()
          writer.onClose { closed.complete(.success(())) }
          try await closed.value()
          precondition(writer.isClosed)
        })
    }
    router.async(.get, "/broken-off") { _ in
      Response(
        .ok,
        body: .stream { writer in
          loop.schedule(afterNanoseconds: 50_000_000) { writer.breakOff() }
          while true { try await writer.write(piece) }
        })
    }
  }

  /// Adds routes that read the body as it comes.
  private static func addBodies(to router: Router, _ loop: EventLoop) {
    router.async(.post, "/count", options: RouteOptions(body: .streamed(limit: 100 << 20))) { request in
      var count = 0
      while let piece = try await request.bodyStream.next() { count += piece.count }
      return Response(.ok, body: .bytes(Array("\(count)".utf8)))
    }
    let lag = Pending<Void>()
    router.async(.get, "/goes-on") { _ in
      lag.complete(.success(()))
      return Response(.noContent)
    }
    router.async(.post, "/lags", options: RouteOptions(body: .streamed(limit: 100 << 20))) { request in
      // Asks once, since nothing of a body is read before its handler asks, and then lags.
      var count = try await request.bodyStream.next()?.count ?? 0
      try await lag.value()
      while let piece = try await request.bodyStream.next() { count += piece.count }
      return Response(.ok, body: .bytes(Array("\(count)".utf8)))
    }
    router.async(.post, "/given-up", options: RouteOptions(body: .streamed(limit: 100 << 20))) { request in
      let stream = request.bodyStream
      loop.schedule(afterNanoseconds: 50_000_000) { stream.fail(RequestFault(.contentTooLarge, "It is enough")) }
      while try await stream.next() != nil {}
      return Response(.ok)
    }
    router.async(.post, "/ignores", options: RouteOptions(body: .streamed(limit: 100 << 20))) { _ in
      Response(.badRequest)
    }
  }

  @Test("comes in chunks, in the order in which they were written, and ends")
  func chunked() throws {
    let client = RawClient(try Self.server())
    for count in [0, 1, 50] {
      client.get("/numbers/\(count)")
      let answer = try #require(client.answer())
      #expect(answer.fields["transfer-encoding"] == "chunked")
      #expect(answer.body == (0..<count).map { "\($0)," }.joined())
    }
  }

  @Test("ends with the connection for HTTP/1.0")
  func closeDelimited() throws {
    let client = RawClient(try Self.server())
    client.send("GET /numbers/3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    let answer = try #require(client.answer())
    #expect(answer.fields["transfer-encoding"] == nil)
    #expect(answer.fields["connection"] == "close")
    #expect(answer.body == "0,1,2,")
  }

  @Test("of known length has that length, or is cut off")
  func knownLength() throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.get("/known/3/3")
    #expect(client.answer()?.body == "kkk")
    client.get("/known/5/3")
    #expect(client.answer() == nil)
    let other = RawClient(server)
    other.get("/known/3/5")
    #expect(other.answer() == nil)
  }

  @Test("is not produced for HEAD")
  func head() throws {
    let client = RawClient(try Self.server())
    client.send("HEAD /big/100 HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer(toHead: true)?.fields["transfer-encoding"] == "chunked")
    client.send("HEAD /known/5/5 HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.answer(toHead: true)?.fields["content-length"] == "5")
    client.get("/numbers/1")
    #expect(client.answer()?.body == "0,")
  }

  @Test("that fails is cut off so that it does not look whole")
  func failing() throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.get("/breaks")
    #expect(client.receiveAll()?.hasSuffix("\r\n\r\n5\r\nbegun\r\n") == true)
    #expect(server.log.lines == ["200 /breaks dropped"])
    let old = RawClient(server)
    old.send("GET /breaks HTTP/1.0\r\n\r\n")
    #expect(old.receiveAll() == nil)
  }

  @Test("waits for a client that does not read, and buffers little meanwhile")
  func backPressure() throws {
    let server = try Self.server()
    let client = RawClient(server, receiveBuffer: 8_192)
    client.get("/big/5000")
    // Output waits only once the buffers of both sockets are full.
    #expect(server.waits { $0.waitingOutputBytes > 0 })
    #expect(server.onLoop { $0.waitingOutputBytes } <= HTTPLimits().outputBytes + Self.piece.count + 100)
    #expect(server.onLoop { $0.activeConnections } == 1)
    #expect(client.answer()?.body.utf8.count == 50_000_000)
    #expect(server.waits { $0.activeConnections == 0 && $0.waitingOutputBytes == 0 })
  }

  @Test("is broken off when its client reads nothing for too long")
  func stalledReader() throws {
    var limits = HTTPLimits()
    limits.writeGraceMilliseconds = 100
    let server = try Self.server(limits)
    let client = RawClient(server, receiveBuffer: 8_192)
    client.get("/big/5000")
    #expect(server.waits { $0.openConnections == 0 && $0.activeConnections == 0 && $0.droppedAnswers == 1 })
    #expect(server.log.lines == ["200 /big/{pieces} dropped"])
  }

  @Test("notices that its client is gone even while it writes nothing")
  func clientGone() throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.get("/events")
    _ = client.receiveSome()
    client.reset()
    #expect(server.waits { $0.openConnections == 0 && $0.activeConnections == 0 && $0.droppedAnswers == 1 })
  }

  @Test("can be broken off from outside while it waits for its client")
  func brokenOff() throws {
    let server = try Self.server()
    let client = RawClient(server, receiveBuffer: 8_192)
    client.get("/broken-off")
    #expect(server.waits { $0.openConnections == 0 && $0.activeConnections == 0 && $0.droppedAnswers == 1 })
  }

  // MARK: Bodies

  @Test("of a body that is failed with a fault is answered with that, and the rest is dropped")
  func givenUp() throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.send("POST /given-up HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
    client.send(Self.piece)
    let answer = try #require(client.answer())
    #expect(answer.status == 413 && answer.fields["connection"] == "close")
    client.send(Self.piece)
    client.endSending()
    #expect(server.waits { $0.openConnections == 0 && $0.activeConnections == 0 })
  }

  @Test("takes a body of either framing piece by piece")
  func upload() throws {
    let client = RawClient(try Self.server())
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
    for _ in 0..<300 { client.send(Self.piece) }
    #expect(client.answer()?.body == "3000000")
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in 0..<300 { client.send(Array("2710\r\n".utf8) + Self.piece + Array("\r\n".utf8)) }
    client.send("0\r\n\r\n")
    #expect(client.answer()?.body == "3000000")
  }

  @Test("does not read on while its handler lags, and does not count that time against the client")
  func laggingHandler() throws {
    var limits = HTTPLimits()
    limits.bodyGraceMilliseconds = 150
    let server = try Self.server(limits)
    let client = RawClient(server)
    let length = 20_000_000
    // The first piece comes with the head, so that the handler's first wait, which counts against the client, is over.
    client.send(Array("POST /lags HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n".utf8) + Self.piece)
    let sent = Atomic<Int>(Self.piece.count)
    nonisolated(unsafe) let socket = client
    let sender = try SystemThread(name: "sender") {
      while sent.load(ordering: .relaxed) < length, socket.send(Self.piece) {
        sent.add(Self.piece.count, ordering: .relaxed)
      }
    }
    // Longer than the client would have for its body if this time were counted against it.
    usleep(4_000 * UInt32(limits.bodyGraceMilliseconds))
    #expect(server.onLoop { $0.waitingInputBytes } <= 200_000)
    #expect(sent.load(ordering: .relaxed) < length)
    let other = RawClient(server)
    other.get("/goes-on")
    #expect(other.answer()?.status == 204)
    sender.join()
    #expect(client.answer()?.body == "\(length)")
  }

  @Test(
    "of a body that is too long, malformed or cut off is answered with its status",
    arguments: [
      ("Transfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n", 413),
      ("Transfer-Encoding: chunked\r\n\r\n3\r\nabcd", 400),
      ("Content-Length: 99999999999\r\n\r\n", 413),
      ("Content-Length: 5\r\n\r\nabc", 400),
    ])
  func faults(_ rest: String, _ status: Int) throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.send("POST /count HTTP/1.1\r\nHost: a\r\n" + rest)
    if rest.hasPrefix("Transfer-Encoding: chunked\r\n\r\nF") {
      var sent = 0
      while sent < 110 << 20, client.send(Self.piece) { sent += Self.piece.count }
    }
    client.endSending()
    #expect(client.answer()?.status == status)
    #expect(server.waits { $0.openConnections == 0 && $0.activeConnections == 0 })
    #expect(server.log.lines == ["\(status) /count"])
  }

  @Test("of a body that its handler does not read ends the connection without losing the answer")
  func ignoredBody() throws {
    let server = try Self.server()
    let client = RawClient(server)
    client.send("POST /ignores HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
    for _ in 0..<500 { client.send(Self.piece) }
    let answer = try #require(client.answer())
    #expect(answer.status == 400)
    #expect(answer.fields["connection"] == "close")
    #expect(client.receiveAll() == "")
  }
}
