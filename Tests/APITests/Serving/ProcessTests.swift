import CLinux
import Glibc
import HTTP
import Reactor
import Synchronization
import Testing

@testable import API

@Suite("The process")
struct ProcessTests {
  @Test("says no to /readyz at once on SIGTERM, serves on while it drains, then exits with 0")
  func termination() throws {
    let server = try ServerProcess(["serve"], ["SHUTDOWN_DRAIN_SECONDS": "2"])
    let port = try server.port()
    #expect(try isReady(port))
    let idle = try Wire(port: port)
    #expect(try idle.get("/livez").status == 200)
    server.signal(SIGTERM)
    _ = try server.line("\"Draining\"")
    let draining = try Wire(port: port).get("/readyz")
    #expect(draining.status == 503)
    #expect(draining.text.contains("draining"))
    let served = try Wire(port: port).get("/version")
    #expect(served.status == 200)
    #expect(served.header("connection") == "close")
    #expect(server.wait() == 0)
    #expect(idle.isClosed())
  }

  /// Waits for the first checks of the health to have ended well.
  private func isReady(_ port: UInt16) throws -> Bool {
    for _ in 0..<1_000 {
      if try Wire(port: port).get("/readyz").status == 200 { return true }
      usleep(10_000)
    }
    return false
  }

  @Test("exits at once on a second signal")
  func impatience() throws {
    let server = try ServerProcess(["serve"], ["SHUTDOWN_DRAIN_SECONDS": "600"])
    _ = try server.port()
    server.signal(SIGTERM)
    _ = try server.line("\"Draining\"")
    server.signal(SIGINT)
    #expect(server.wait() == 1)
  }

  @Test("replaces itself on SIGUSR2 without one failed request")
  func succession() throws {
    let server = try ServerProcess()
    let port = try server.port()
    let state = Mutex((requests: 0, failures: [String](), isOver: false))
    let clients = try (0..<4).map { client in
      try SystemThread(name: "client-\(client)") {
        while !state.withLock({ $0.isOver }) {
          do {
            // Some requests on each connection, as a client with keep-alive sends them.
            let wire = try Wire(port: port)
            for _ in 0..<20 {
              let reply = try wire.get("/version")
              state.withLock { $0.requests += 1 }
              if reply.status != 200 { state.withLock { $0.failures.append("status \(reply.status)") } }
              if reply.header("connection") == "close" { break }
            }
          } catch {
            state.withLock { $0.failures.append("\(error)") }
          }
        }
      }
    }
    usleep(300_000)
    server.signal(SIGUSR2)
    let successor = pid_t(try server.number("process", in: try server.line("Started a successor")))
    defer { kill(successor, SIGKILL) }
    #expect(server.wait() == 0)
    let before = state.withLock { $0.requests }
    usleep(300_000)
    state.withLock { $0.isOver = true }
    for client in clients { client.join() }
    state.withLock { state in
      #expect(state.failures.isEmpty)
      // The successor alone has answered these.
      #expect(state.requests > before)
    }
  }

  @Test("serves on a socket that a service manager passes on")
  func activation() throws {
    let socket = try ListeningSocket.open(host: "127.0.0.1", port: 0)
    defer { close(socket) }
    // Asked before there is a server: the kernel keeps the connection.
    let early = try Wire(port: ListeningSocket.port(of: socket))
    let server = try ServerProcess(shell: "LISTEN_FDS=1 LISTEN_PID=$$ exec", passing: socket)
    #expect(try early.get("/version").status == 200)
    _ = try server.port()
    server.signal(SIGTERM)
    #expect(server.wait() == 0)
  }

  @Test("lists every fault of its configuration at once and exits with 78")
  func faultyConfiguration() throws {
    let server = try ServerProcess(["serve"], ["PORT": "http", "LOG_LEVEL": "loud", "WORKERS": "none"])
    #expect(server.wait() == 78)
    _ = try server.line("WORKERS")
    let text = server.log.lines.joined(separator: "\n")
    for name in ["PORT", "LOG_LEVEL", "WORKERS"] { #expect(text.contains(name)) }
  }
}
