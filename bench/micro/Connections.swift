import Glibc
import HTTP
import Reactor

extension Benchmark {
  /// A kept connection, whose client and server take turns on one thread: the cost of a request from socket to socket,
  /// without the kernel.
  static let connections = [
    Benchmark("connection-request", iterations: 2_000) { exchanging("GET /text HTTP/1.1\r\nHost: a\r\n\r\n") },
    Benchmark("connection-16-requests", iterations: 500) {
      exchanging(String(repeating: "GET /text HTTP/1.1\r\nHost: a\r\n\r\n", count: 16))
    },
    Benchmark("connection-body", iterations: 1_000) {
      exchanging("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n" + String(repeating: "b", count: 500))
    },
  ]

  private static func exchanging(_ text: String) -> (Int) -> Void {
    let request = Array(text.utf8)
    return { count in
      // The clock stands still, so that every run checks the same deadlines.
      let loop = try! EventLoop(index: 0, clock: ManualClock(unixMilliseconds: 1_790_000_000_000))
      loop.embedded {
        let server = Server(loop: loop, memory: MemoryBudget(bytes: 1 << 20), application: Echo())
        let client = connect(to: server)
        var answer = [UInt8](repeating: 0, count: 16 * 1024)
        for _ in 0..<count {
          precondition(send(client, request, request.count, 0) == request.count)
          precondition(loop.turnByHand(atMost: 10))
          precondition(recv(client, &answer, answer.count, 0) > 0)
        }
        close(client)
        precondition(loop.turnByHand(atMost: 10))
        server.stopAccepting()
      }
    }
  }

  /// A client of the server, connected by a local socket: what one end sends arrives at the other at once.
  private static func connect(to server: Server) -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var length = socklen_t(MemoryLayout<sockaddr_un>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        // A Unix address without a name: the kernel chooses one outside the file system (unix(7)).
        precondition(bind(listener, address, socklen_t(MemoryLayout<sa_family_t>.size)) == 0)
        precondition(listen(listener, 1) == 0 && getsockname(listener, address, &length) == 0)
        precondition(Glibc.connect(client, address, length) == 0)
      }
    }
    try! server.accept(from: listener)
    return client
  }
}

/// Answers with a few bytes, or with the body.
private final class Echo: Application {
  let router = Router()

  init() {
    router.sync(.get, "/text") { _, writer in
      writer.begin(.ok)
      writer.fields.append("Content-Type", "text/plain")
      writer.end("text")
    }
    let options = RouteOptions(body: .buffered(limit: 1_000))
    router.async(.post, "/body", options: options) { Response(.ok, body: .bytes($0.body)) }
  }

  func begin(_ request: Request) {}
  func refuse(_ refusal: Refusal, _ request: Request) -> Response { Response(refusal.status) }
  func finish(_ request: Request, _ summary: Finished) { precondition(summary.status == .ok && !summary.isDropped) }
}
