import CLinux
import Glibc
import HTTP
import Reactor
import Synchronization
import Testing

@Suite("The process", .blocking)
struct ProcessTests {
  @Test("fails /readyz at once on SIGTERM, keeps serving while it drains, then exits with 0")
  func termination() throws {
    let server = try ServerProcess(["serve"], ["SHUTDOWN_DRAIN_SECONDS": "2", "WORKERS": "1"])
    let port = try server.port()
    #expect(try isReady(port))
    let idle = try Wire(port: port)
    #expect(try idle.get("/livez").status == 200)
    server.signal(SIGTERM)
    _ = try server.line("\"Draining\"")
    // The loop hears of it in its next turn.
    #expect(try holds { try Wire(port: port).get("/readyz").status == 503 })
    let draining = try Wire(port: port).get("/readyz")
    #expect(draining.text.contains("draining"))
    let served = try Wire(port: port).get("/version")
    #expect(served.status == 200)
    #expect(served.header("connection") == "close")
    #expect(server.wait() == 0)
    #expect(try idle.isClosed())
  }

  /// Waits until the first health checks have succeeded; returns false if they have not within a minute.
  private func isReady(_ port: UInt16) throws -> Bool {
    for _ in 0..<6_000 {
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

  @Test("stops cleanly whenever SIGTERM comes during its start")
  func earlyTermination() throws {
    let database = try TestDatabase.make()
    for round in 0..<12 {
      let server = try ServerProcess(["serve"], ["DATABASE_URL": database])
      usleep(UInt32(round) * 25_000)
      server.signal(SIGTERM)
      let code = server.wait()
      // Before it handles signals, the signal itself ends it; then it has logged nothing.
      #expect(code == 0 || (code == -1 && server.log.lines.isEmpty))
    }
  }

  @Test(
    "does not wait for anything at its end",
    .enabled(if: getenv("SANITIZER") == nil, "a sanitizer looks for leaks at the end"))
  func promptEnd() throws {
    // The end once waited two seconds each time for the log's writer alone. One faster end shows that it does not; the
    // others may be slow on a busy machine.
    let limit: UInt64 = 1_900_000_000
    var fastest = UInt64.max
    for _ in 0..<10 where fastest >= limit {
      let server = try ServerProcess()
      _ = try server.port()
      let start = Clock.monotonic()
      server.signal(SIGTERM)
      #expect(server.wait() == 0)
      fastest = min(fastest, Clock.monotonic() - start)
      #expect(!server.log.lines.contains { $0.contains("is away") })
    }
    #expect(fastest < limit)
  }

  @Test("refuses a port that another server listens at")
  func portInUse() throws {
    let first = try ServerProcess()
    let port = try first.port()
    let second = try ServerProcess(["serve"], ["PORT": "\(port)"])
    #expect(second.wait() == 1)
    _ = try second.line("port \(port) (PORT)")
    let metrics = try ServerProcess(["serve"], ["METRICS_PORT": "\(port)"])
    #expect(metrics.wait() == 1)
  }

  @Test("answers probes without Postgres, logs few warnings, and stops on SIGTERM")
  func withoutDatabase() throws {
    let server = try ServerProcess(["serve"], ["DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"])
    let port = UInt16(try server.number("port", in: try server.line("\"Listening\"")))
    #expect(try Wire(port: port).get("/livez").status == 200)
    #expect(try Wire(port: port).get("/startupz").status == 503)
    #expect(try Wire(port: port).get("/readyz").status == 503)
    server.signal(SIGTERM)
    #expect(server.wait() == 0)
    #expect(server.log.lines.count { $0.contains("\"warning\"") && !$0.contains("Request completed") } < 8)
  }

  @Test("serves and is ready, though degraded, if Redis is away when it starts")
  func withoutRedis() throws {
    let server = try ServerProcess(["serve"], ["REDIS_URL": "redis://127.0.0.1:1/0"])
    let client = Client(port: try server.port())
    #expect(try holds { try client.get("/readyz").json["status"]?.text == "degraded" })
    for path in ["/readyz", "/startupz", "/api/gardens"] { #expect(try client.get(path).status == 200, "\(path)") }
    #expect(try client.get("/health").status == 503)
  }

  @Test("is not ready while Redis refuses its credentials, and so replaces no other process")
  func refusedByRedis() throws {
    let place = try #require(try TestStores.redisURL.split(separator: "@").last)
    let server = try ServerProcess(["serve"], ["REDIS_URL": "redis://:mistyped@\(place)"])
    let client = Client(port: try server.port())
    #expect(
      try holds {
        let checks = try client.get("/health").json["checks"]
        return checks?["database"]?["status"]?.text == "healthy" && checks?["redis"]?["status"]?.text == "unhealthy"
      })
    _ = try server.line("refused: WRONGPASS")
    for path in ["/readyz", "/startupz"] { #expect(try client.get(path).status == 503, "\(path)") }
    #expect(try client.get("/api/gardens").status == 200)
  }

  @Test("serves metrics on a socket of their own passed by a service manager")
  func metricsActivation() throws {
    let socket = try ListeningSocket.open(host: "127.0.0.1", port: 0)
    defer { close(socket) }
    let metricsPort = ListeningSocket.port(of: socket)
    let server = try ServerProcess(
      ["serve"], ["METRICS_PORT": "\(metricsPort)"], shell: "LISTEN_FDS=1 LISTEN_PID=$$ exec", passing: socket)
    #expect(try Wire(port: try server.port()).get("/version").status == 200)
    #expect(try Wire(port: metricsPort).get("/metrics").status == 200)
  }

  @Test("serves on a socket passed by a service manager")
  func activation() throws {
    let socket = try ListeningSocket.open(host: "127.0.0.1", port: 0)
    defer { close(socket) }
    // Connects before there is a server: the kernel keeps the connection.
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
