import CLinux
import Faults
import Glibc
import Reactor
import Synchronization
import TestSupport
import Testing
import Values

@Suite("A successor", .blocking)
struct SuccessionTests {
  @Test("takes over ten times under load without a failed request, and one that cannot start takes over nothing")
  func upgrades() throws {
    let release = try Release()
    defer { release.remove() }
    var settings = ["METRICS_PORT": "\(try Loopback.freePort())"]
    settings["DATABASE_URL"] = try TestDatabase.make()
    let server = try ServerProcess(["serve"], settings, binary: release.path)
    let port = try server.port()
    let load = try Load(port: port)
    defer { load.end() }
    var process = server.process
    defer { release.end(process) }
    var predecessors: [pid_t] = []
    for upgrade in 1...10 {
      try release.replace()
      let predecessor = process
      predecessors.append(predecessor)
      kill(predecessor, SIGUSR2)
      process = pid_t(try server.number("process", in: try server.line("Started a successor", count: upgrade)))
      // The second signal finds a successor that is starting, or has taken over.
      kill(predecessor, SIGUSR2)
      _ = try server.line("Not starting a successor", count: upgrade)
      _ = try server.line("Handing over", count: upgrade)
      #expect(release.isRun(by: process))
      #expect(try Wire(port: port).get("/readyz").status == 200)
    }
    for predecessor in predecessors { release.awaitEnd(of: predecessor) }
    try release.breakIt()
    kill(process, SIGUSR2)
    #expect(try server.line("The successor ended before it served").contains("\"exitCode\":3"))
    #expect(server.log.lines.count { $0.contains("Started a successor") } == 11)
    #expect(try Wire(port: UInt16(settings["METRICS_PORT"]!)!).get("/metrics").status == 200)
    load.end()
    #expect(load.failures.isEmpty, "\(load.failures.count), the first: \(load.failures[0])")
    #expect(load.requests > 100)
  }

  @Test("inherits nothing that its predecessor had open, except what is passed to it")
  func descriptors() throws {
    var ends: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
    defer { close(ends[0]) }
    // Moved to a number that no passed descriptor gets, and not closed by exec, like some sockets of libcurl.
    let server = try ServerProcess(shell: "exec 9<&3 3<&-; exec", passing: ends[1])
    close(ends[1])
    _ = try server.port()
    server.signal(SIGUSR2)
    let successor = pid_t(try server.number("process", in: try server.line("Handing over")))
    #expect(server.wait() == 0)
    var end = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
    #expect(poll(&end, 1, 60_000) == 1)
    #expect(access("/proc/\(successor)/exe", F_OK) == 0)
    kill(successor, SIGKILL)
  }

  /// Whether this host lets a test make a PID namespace: most containers do not.
  private static let hasNamespaces = (try? shell("unshare --fork --pid true 2>/dev/null")) != nil

  @Test("is not started by process 1, with which its container ends", .enabled(if: hasNamespaces))
  func ofProcessOne() throws {
    let container = try ServerProcess(shell: "exec unshare --fork --pid --kill-child")
    let port = try container.port()
    try shell("kill -USR2 $(cat /proc/\(container.process)/task/\(container.process)/children)")
    _ = try container.line("Not starting a successor: this is process 1")
    #expect(try Wire(port: port).get("/readyz").status == 200)
  }

  @Test("that dies during the handover leaves everything to its predecessor, even if SIGCHLD was ignored")
  func shortLife() throws {
    let server = try ServerProcess(shell: "trap '' CHLD; exec")
    let port = try server.port()
    let load = try Load(port: port)
    defer { load.end() }
    server.signal(SIGUSR2)
    let line = try server.line("Handing over")
    // The clients end first, so that none loses a request that the successor has accepted.
    load.end()
    kill(pid_t(try server.number("process", in: line)), SIGKILL)
    #expect(try server.line("The successor ended").contains("\"signal\":9"))
    _ = try server.line("Serving again")
    let answer = try Wire(port: port).get("/version")
    #expect(answer.status == 200)
    #expect(answer.header("connection") != "close")
    server.signal(SIGTERM)
    #expect(server.wait() == 0)
    #expect(load.failures.isEmpty, "\(load.failures.count), the first: \(load.failures[0])")
  }

  @Test(
    "that is told to stop during the handover stops for good",
    .enabled(if: getenv("SANITIZER") == nil, "a sanitizer's leak check outlasts the predecessor"))
  func toldToEnd() throws {
    let server = try ServerProcess()
    _ = try server.port()
    server.signal(SIGUSR2)
    kill(pid_t(try server.number("process", in: try server.line("Handing over"))), SIGTERM)
    #expect(try server.line("The successor ended").contains("\"exitCode\":0"))
    #expect(server.wait() == 0)
    #expect(!server.log.lines.contains { $0.contains("Serving again") })
  }
}

/// A binary in a directory of its own, which upgrades replace.
private struct Release {
  private let directory: String
  var path: String { directory + "/terroir" }

  init() throws {
    var template = Array("/tmp/terroir-release-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
    directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    try replace()
  }

  /// Replaces the binary with another copy of it.
  func replace() throws { try shell("cp '\(ServerProcess.binary)' '\(path).new' && mv '\(path).new' '\(path)'") }

  /// Replaces the binary with a script that fails at once.
  func breakIt() throws {
    try shell("printf '#!/bin/sh\\nexit 3\\n' >'\(path).new' && chmod +x '\(path).new' && mv '\(path).new' '\(path)'")
  }

  /// Whether a process runs the present binary, and not one that was replaced.
  func isRun(by process: pid_t) -> Bool {
    var (own, other) = (stat(), stat())
    return stat(path, &own) == 0 && stat("/proc/\(process)/exe", &other) == 0 && own.st_ino == other.st_ino
  }

  /// Ends a process and waits for that. The binary is put back first, for a sanitizer that looks for leaks at the end.
  func end(_ process: pid_t) {
    try? replace()
    // Not by SIGKILL, after which its predecessor would serve again.
    kill(process, SIGTERM)
    awaitEnd(of: process)
  }

  /// Waits until a process has ended; fails the test if it does not end.
  func awaitEnd(of process: pid_t) {
    // A process that has ended no longer has a binary, even before it is reaped.
    #expect(holds { access("/proc/\(process)/exe", F_OK) != 0 }, "\(process) goes on")
  }

  func remove() { try? shell("rm -r '\(directory)'") }
}

/// Clients that write, and read what needs Postgres and what does not, with some requests on each connection, until
/// `end` is called.
private final class Load: Sendable {
  private struct State {
    var requests = 0
    var failures: [String] = []
    var isOver = false
  }

  private let state = Mutex(State())
  private let threads = Mutex<[SystemThread]>([])

  private let credentials: [String]
  /// The path of the garden that is changed again and again.
  private let garden: String

  init(port: UInt16) throws {
    credentials = [Self.json, "Authorization: Bearer \(try Self.signIn(port))"]
    let made = try Wire(port: port).request(
      "POST", "/api/gardens", headers: credentials, body: Array(#"{"name":"Bed"}"#.utf8))
    garden = try #require(made.header("location"))
    for client in 0..<4 {
      let thread = try SystemThread(name: "client-\(client)") { [self] in
        while !isOver { ask(port) }
      }
      threads.withLock { $0.append(thread) }
    }
  }

  private static func signIn(_ port: UInt16) throws -> String {
    let wire = try Wire(port: port)
    let credentials = #""email":"load@example.org","password":"a long enough password""#
    let body = #"{"displayName":"Load",\#(credentials)}"#
    #expect(try wire.request("POST", "/api/users", headers: [json], body: Array(body.utf8)).status == 201)
    let session = try wire.request("POST", "/api/sessions", headers: [json], body: Array("{\(credentials)}".utf8))
    return try #require(try session.json["accessToken"]?.text)
  }

  private static let json = "Content-Type: application/json"

  private func ask(_ port: UInt16) {
    do {
      let wire = try Wire(port: port)
      for round in 0..<20 where !isOver {
        let reply =
          switch round % 3 {
          case 0: try wire.get("/version")
          case 1: try wire.get("/api/gardens")
          default:
            try wire.request(
              "PATCH", garden, headers: credentials, body: Array(#"{"areaSquareMetres":\#(round)}"#.utf8))
          }
        state.withLock { state in
          state.requests += 1
          if !(200..<300).contains(reply.status) { state.failures.append("\(reply.status): \(reply.text)") }
        }
        if reply.header("connection") == "close" { return }
      }
    } catch {
      state.withLock { $0.failures.append("\(error)") }
    }
  }

  /// Has the clients finish their current requests, and waits for that.
  func end() {
    state.withLock { $0.isOver = true }
    let running = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in running { thread.join() }
  }

  private var isOver: Bool { state.withLock { $0.isOver } }
  var requests: Int { state.withLock { $0.requests } }
  var failures: [String] { state.withLock { $0.failures } }
}
