import Glibc
import HTTP
import Reactor
import TestSupport
import Testing

@testable import Outbound

/// Calls to a real, scripted server, by a client on a loop of its own.
@Suite("Calls to other servers", .blocking)
struct OutboundTests {
  private let server: ModelServer
  private var url: String { "http://127.0.0.1:\(server.port)/hook" }

  init() throws { server = try ModelServer() }

  /// The outcomes of requests that are sent one after the other.
  private func send(
    _ requests: [OutboundRequest], admits: (@Sendable (PeerAddress) -> Bool)? = nil
  ) throws -> [Result<OutboundResponse, OutboundError>] {
    try onLoop { loop in
      let client = OutboundClient(on: loop, admits: admits)
      var results: [Result<OutboundResponse, OutboundError>] = []
      for request in requests {
        do {
          results.append(.success(try await client.send(request)))
        } catch {
          results.append(.failure(error as? OutboundError ?? OutboundError(description: "\(error)")))
        }
      }
      return results
    }
  }

  @Test("send method, header fields and body, and return status, header fields and body")
  func exchange() throws {
    server.script([.json(201, #"{"made":true}"#)])
    let request = OutboundRequest(
      method: "POST", url: url, headers: [("Content-Type", "application/json"), ("X-Mark", "a b")],
      body: Array(#"{"a":1}"#.utf8))
    let answer = try #require(try send([request]).first).get()
    #expect(answer.status == 201)
    #expect(answer.headers["content-type"] == "application/json")
    #expect(String(decoding: answer.body, as: UTF8.self) == #"{"made":true}"#)
    let received = try #require(server.received.first)
    #expect(received.line == "POST /hook HTTP/1.1")
    #expect(received.headers["x-mark"] == "a b")
    #expect(received.headers["expect"] == nil)
    #expect(String(decoding: received.body, as: UTF8.self) == #"{"a":1}"#)
  }

  @Test("fail at their deadline, and with an answer that is too long, cut off or not HTTP")
  func bounds() throws {
    let long = String(repeating: "x", count: OutboundCall.maximumAnswerBytes + 1)
    server.script([
      .slow(20, "late"), .json(200, long), .cut(after: 100, "half of it is missing"),
      .raw("SSH-2.0-OpenSSH_9.2p1\r\n"), .json(200, "ok"),
    ])
    let results = try send(
      (0..<5).map { OutboundRequest(url: url, timeoutSeconds: $0 == 0 ? 0.2 : 10) })
    #expect(results.map { try? $0.get().status } == [nil, nil, nil, nil, 200])
    let faults = results.compactMap { result -> String? in
      if case .failure(let error) = result { error.description } else { nil }
    }
    #expect(faults.first == "timed out")
    #expect(faults.dropFirst().first == "the answer is too long")
    #expect(faults.count == 4)
  }

  @Test("connect only to addresses that are admitted, whatever name they came from")
  func addresses() throws {
    server.script([.json(200, "open")])
    let port = server.port
    let requests = ["127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]"].map {
      OutboundRequest(url: "http://\($0):\(port)/")
    }
    let loopback = AddressBlock("127.0.0.0/8")!
    let ownAddress = PeerAddress("::1")!
    for result in try send(requests, admits: { !loopback.contains($0) && $0 != ownAddress }) {
      #expect(throws: OutboundError.self) { try result.get() }
    }
    #expect(server.received.isEmpty)
    #expect(try send([requests[0]], admits: loopback.contains)[0].get().status == 200)
  }

  @Test("follow no redirects, and accept only HTTP's schemes")
  func redirects() throws {
    server.script([.redirect("http://127.0.0.1:\(server.port)/elsewhere"), .json(200, "followed")])
    let results = try send([OutboundRequest(url: url), OutboundRequest(url: "file:///etc/hostname")])
    #expect(try results[0].get().status == 302)
    #expect(server.received.count == 1)
    #expect(throws: OutboundError.self) { try results[1].get() }
  }

  @Test("are refused beyond the limit of parallel calls, and the others are answered")
  func crowd() throws {
    let count = OutboundCalls.maximumCalls
    server.script(Array(repeating: .json(200, "ok"), count: count))
    let url = url
    let (answered, refused) = try onLoop { loop in
      let client = OutboundClient(on: loop)
      let calls = (0..<count + 8).map { _ in
        let call = Pending<Bool>()
        loop.spawn { call.complete(.success((try? await client.send(OutboundRequest(url: url))) != nil)) }
        return call
      }
      var counts = (0, 0)
      for call in calls { if try await call.value() { counts.0 += 1 } else { counts.1 += 1 } }
      return counts
    }
    #expect(answered == count)
    #expect(refused == 8)
  }
}
