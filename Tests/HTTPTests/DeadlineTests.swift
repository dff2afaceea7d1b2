import Glibc
import Reactor
import Testing

@testable import HTTP

@Suite("A server with deadlines and limits")
struct DeadlineTests {
  @Test("ends a head that does not come in time with 408")
  func slowHead() throws {
    var limits = HTTPLimits()
    limits.headMilliseconds = 100
    let server = try ConnectionTests.server(limits)
    let client = RawClient(server)
    client.get("/live")
    #expect(client.answer()?.status == 200)
    var isAnswered = false
    for byte in "GET /live HTTP/1.1\r\nHost: a\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".utf8 {
      if !client.send([byte]) { break }
      usleep(5_000)
    }
    let answer = try #require(client.answer())
    isAnswered = answer.status == 408 && answer.fields["connection"] == "close"
    #expect(isAnswered)
    #expect(client.receiveAll() == "")
    #expect(server.log.lines == ["200 /live", "408 unmatched"])
  }

  @Test("does not take an empty line after a request for the start of the next, which may come much later")
  func emptyLine() throws {
    var limits = HTTPLimits()
    limits.headMilliseconds = 100
    let server = try ConnectionTests.server(limits)
    let client = RawClient(server)
    client.send("GET /live HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\n")
    #expect(client.answer()?.status == 200)
    #expect(server.waits { $0.blocksHeld == 0 })
    // Waits for longer than a head may take: were the empty lines part of one, it would be late as well.
    let other = RawClient(server)
    other.send("GET")
    #expect(other.answer()?.status == 408)
    client.send("\r\nGET /live HTTP/1.1\r\nHo")
    client.send("st: a\r\n\r\n")
    #expect(client.answer()?.status == 200)
    #expect(server.log.lines == ["200 /live", "408 unmatched", "200 /live"])
  }

  @Test("does not take half an empty line for the start of a request, whenever the other half comes")
  func halfAnEmptyLine() throws {
    var limits = HTTPLimits()
    limits.headMilliseconds = 100
    let server = try ConnectionTests.server(limits)
    let client = RawClient(server)
    client.get("/live")
    #expect(client.answer()?.status == 200)
    func wait() {
      // Waits for longer than a head may take: were the half line part of one, it would be late as well.
      let other = RawClient(server)
      other.send("GET")
      #expect(other.answer()?.status == 408)
    }
    client.send("\r")
    wait()
    client.send("\n\r\n\r")
    wait()
    client.send("\n")
    client.get("/live")
    #expect(client.answer()?.status == 200)
    client.send("\r")
    wait()
    #expect(server.onLoop { $0.blocksHeld } == 0)
    client.send("G")
    #expect(client.answer()?.status == 400)
    #expect(
      server.log.lines == [
        "200 /live", "408 unmatched", "408 unmatched", "200 /live", "408 unmatched", "400 unmatched",
      ])
  }

  @Test("silently closes a connection that sends no request")
  func idle() throws {
    var limits = HTTPLimits()
    limits.idleMilliseconds = 100
    let server = try ConnectionTests.server(limits)
    let fresh = RawClient(server)
    #expect(fresh.receiveAll() == "")
    let used = RawClient(server)
    used.get("/live")
    #expect(used.answer()?.status == 200)
    #expect(used.receiveAll() == "")
    for pieces in [["\r"], ["\r", "\n\r"], ["\r\n\r"]] {
      let client = RawClient(server)
      for piece in pieces {
        client.send(piece)
        usleep(5_000)
      }
      #expect(client.receiveAll() == "", "\(pieces)")
    }
    #expect(server.log.lines == ["200 /live"])
  }

  @Test("does not end a handler that takes longer than any of them")
  func slowHandler() throws {
    var limits = HTTPLimits()
    limits.idleMilliseconds = 30
    limits.headMilliseconds = 30
    limits.bodyGraceMilliseconds = 30
    limits.writeGraceMilliseconds = 30
    let client = RawClient(try ConnectionTests.server(limits))
    client.get("/slow/200")
    #expect(client.answer()?.body == "slow 200")
  }

  @Test("ends a body that comes too slowly with 408")
  func slowBody() throws {
    var limits = HTTPLimits()
    limits.bodyGraceMilliseconds = 100
    let server = try ConnectionTests.server(limits)
    for framing in ["Content-Length: 5000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1388\r\n"] {
      let client = RawClient(server)
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\n" + framing)
      for _ in 0..<60 {
        client.send("x")
        usleep(5_000)
      }
      #expect(client.answer()?.status == 408)
      #expect(client.receiveAll() == "")
    }
    #expect(server.log.lines == ["408 /echo", "408 /echo"])
  }

  @Test("sends 100 (Continue) only for a body that will be read")
  func expectation() throws {
    let server = try ConnectionTests.server()
    let client = RawClient(server)
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    #expect(client.answer()?.status == 100)
    client.send("hello")
    #expect(client.answer()?.body == "hello")
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
    #expect(client.answer()?.body == "hello")
    for (head, status) in [
      ("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n", 404),
      ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n", 413),
    ] {
      let other = RawClient(server)
      other.send(head + "Expect: 100-continue\r\n\r\n")
      let answer = try #require(other.answer())
      #expect(answer.status == status)
      #expect(answer.fields["connection"] == "close")
    }
  }

  @Test("has the refusal of a body that is too long reach a client that is still sending")
  func longBody() throws {
    let server = try ConnectionTests.server()
    let client = RawClient(server)
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
    #expect(server.waits { _ in server.log.lines.count == 1 })
    for _ in 0..<800 { #expect(client.send(StreamTests.piece)) }
    #expect(client.answer()?.status == 413)
    #expect(client.receiveAll() == "")
  }

  @Test("bounds what a refused client may go on sending")
  func linger() throws {
    var limits = HTTPLimits()
    limits.lingerBytes = 100_000
    let server = try ConnectionTests.server(limits)
    let client = RawClient(server)
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 90000000\r\n\r\n")
    var sent = 0
    while sent < 90_000_000, client.send(StreamTests.piece) { sent += StreamTests.piece.count }
    #expect(sent < 90_000_000)
    #expect(server.waits { $0.openConnections == 0 })
  }

  @Test("turns away connections beyond their limit with 503")
  func tooMany() throws {
    var limits = HTTPLimits()
    limits.connections = 2
    limits.refusedConnections = 1
    let server = try ConnectionTests.server(limits)
    let clients = [RawClient(server), RawClient(server)]
    for client in clients {
      client.get("/live")
      #expect(client.answer()?.status == 200)
    }
    let third = RawClient(server)
    third.get("/live")
    let answer = try #require(third.answer())
    #expect(answer.status == 503)
    #expect(answer.fields["connection"] == "close")
    clients[0].get("/live")
    #expect(clients[0].answer()?.status == 200)
    #expect(server.onLoop { $0.refusedConnections } == 1)
    #expect(server.log.lines.contains("503 unmatched"))
  }

  @Test("drops the answer, but not the handler, of a client that has gone")
  func clientGone() throws {
    let server = try ConnectionTests.server()
    let client = RawClient(server)
    client.get("/slow/500")
    #expect(server.waits { $0.activeConnections == 1 })
    client.reset()
    #expect(server.waits { $0.droppedAnswers == 1 && $0.openConnections == 0 && $0.activeConnections == 0 })
    #expect(server.log.lines == ["200 /slow/{milliseconds} dropped"])
  }

  @Test("reports the request of a client that has gone in the middle of its body")
  func goneInBody() throws {
    let server = try ConnectionTests.server()
    let client = RawClient(server)
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
    #expect(server.waits { $0.activeConnections == 1 })
    client.reset()
    #expect(server.waits { $0.activeConnections == 0 && $0.openConnections == 0 })
    #expect(server.log.lines == ["499 /echo dropped"])
  }

  @Test("holds no buffer for an idle connection")
  func idleMemory() throws {
    let server = try ConnectionTests.server()
    let clients = (0..<50).map { _ in RawClient(server) }
    for client in clients { client.get("/live") }
    for client in clients { #expect(client.answer()?.status == 200) }
    #expect(server.onLoop { $0.blocksHeld } == 0)
  }
}
