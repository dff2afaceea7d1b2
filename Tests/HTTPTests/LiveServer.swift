import CLinux
import Glibc
import Reactor
import TestSupport

@testable import HTTP

/// A server with its own loop and thread, on a port that the kernel chose. It runs until it is released.
final class LiveServer: @unchecked Sendable {
  let port: UInt16
  let log = Log()
  // Made and used on the loop's thread; this class only keeps them alive.
  private var loop: EventLoop!
  private var server: Server!

  /// Starts a server with the routes that `addRoutes` adds.
  init(
    _ limits: HTTPLimits = HTTPLimits(), memory: MemoryBudget = MemoryBudget(bytes: 256 << 20),
    _ addRoutes: @escaping @Sendable (Router, EventLoop) -> Void
  ) throws {
    signal(SIGPIPE, SIG_IGN)
    var limits = limits
    limits.sweepMilliseconds = 20
    let bounds = limits
    let fd = try ListeningSocket.open(host: "127.0.0.1", port: 0)
    port = ListeningSocket.port(of: fd)
    let started = Gate()
    SystemThread.detached("test-server") { [unowned self] in
      let loop = try! EventLoop(index: 0)
      let application = TestApplication(log)
      addRoutes(application.router, loop)
      self.loop = loop
      server = Server(loop: loop, limits: bounds, memory: memory, application: application)
      try! server.accept(from: fd)
      started.open()
      loop.run()
    }
    started.wait()
  }

  /// Calls `body` on the loop's thread and returns its result.
  func onLoop<Result>(_ body: @escaping @Sendable (Server) -> Result) -> Result {
    let gate = Gate()
    nonisolated(unsafe) var result: Result?
    loop.executor.submit { [self] in
      result = body(server)
      gate.open()
    }
    gate.wait()
    return result!
  }

  /// Waits until `condition` holds; returns false if it does not within a minute, long enough on a busy machine.
  func waits(until condition: @escaping @Sendable (Server) -> Bool) -> Bool {
    for _ in 0..<6_000 {
      if onLoop(condition) { return true }
      usleep(10_000)
    }
    return false
  }

  deinit {
    // The closures own both until the server is empty, so that both are released on the loop's thread.
    let gate = Gate()
    nonisolated(unsafe) let parts = (loop!, server!)
    loop.executor.submit {
      parts.1.shutDown(withinMilliseconds: 0) { parts.0.stop() }
      gate.open()
    }
    gate.wait()
  }
}

/// Answers refusals with their detail as text, and notes how each request ended.
final class TestApplication: Application {
  let router = Router()
  let log: Log
  private var begun = 0

  init(_ log: Log) { self.log = log }

  func begin(_ request: Request) { begun += 1 }

  func refuse(_ refusal: Refusal, _ request: Request) -> Response {
    var response = Response(refusal.status, headers: ["Content-Type": "text/plain"])
    switch refusal {
    case .malformed(let fault): response.body = .bytes(Array(fault.detail.utf8))
    case .methodNotAllowed(let allow): response.headers.append("Allow", allow)
    default: break
    }
    return response
  }

  func finish(_ request: Request, _ summary: Finished) {
    begun -= 1
    log.note(
      "\(summary.status.rawValue) \(request.route?.template ?? "unmatched")\(summary.isDropped ? " dropped" : "")"
        + (begun == 0 ? "" : " with \(begun) others"))
  }
}
