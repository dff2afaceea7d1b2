import CLinux
import Glibc
import Postgres
import Reactor
import Testing

@testable import Migrations
@testable import Serving

@Suite("A supervisor", .blocking)
struct SupervisorTests {
  /// The socket on which systemd would listen.
  private final class Ear {
    let path: String
    private let fd: Int32

    init() throws {
      path = "/tmp/terroir-notify-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
      fd = try checked("socket") { socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0) }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
      let length = socklen_t(MemoryLayout<sockaddr_un>.size)
      _ = try withUnsafePointer(to: &address) { pointer throws(SystemError) in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer throws(SystemError) in
          try checked("bind") { bind(fd, pointer, length) }
        }
      }
    }

    deinit {
      close(fd)
      unlink(path)
    }

    /// Waits for the next message that `isWanted`, by default any but signs of life and requests for more time; nil if
    /// none comes for 30 seconds.
    func hear(
      _ isWanted: (String) -> Bool = { $0 != "WATCHDOG=1" && !$0.hasPrefix("EXTEND_TIMEOUT_USEC=") }
    ) -> String? {
      var bytes = [UInt8](repeating: 0, count: 256)
      for _ in 0..<1_000 {
        var descriptor = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, 30_000) == 1 else { return nil }
        let text = String(decoding: bytes[..<max(0, recv(fd, &bytes, bytes.count, 0))], as: UTF8.self)
        if isWanted(text) { return text }
      }
      return nil
    }

    /// Discards the messages that have come by now, at most `maximum`; returns how many.
    func drain(atMost maximum: Int) -> Int {
      var byte: UInt8 = 0
      return (0..<maximum).prefix { _ in recv(fd, &byte, 1, Int32(MSG_DONTWAIT)) > 0 }.count
    }
  }

  @Test("is told that the service is ready, again and again that it is alive, and that it stops")
  func life() throws {
    let ear = try Ear()
    // The shell sets WATCHDOG_PID to its own id, which is then the server's, as systemd does.
    let server = try ServerProcess(
      ["serve"], ["NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "200000"], shell: "WATCHDOG_PID=$$ exec env")
    _ = try server.port()
    #expect(ear.hear() == "READY=1")
    for _ in 1...3 { #expect(ear.hear { $0 == "WATCHDOG=1" } != nil) }
    server.signal(SIGTERM)
    #expect(ear.hear() == "STOPPING=1")
    #expect(server.wait() == 0)
  }

  @Test("is not told of readiness while Postgres is away")
  func notReady() throws {
    let ear = try Ear()
    let server = try ServerProcess(
      ["serve"], ["NOTIFY_SOCKET": ear.path, "DATABASE_URL": "postgres://terroir@127.0.0.1:9/terroir"])
    _ = try server.line("\"Listening\"")
    server.signal(SIGTERM)
    #expect(ear.hear() == "STOPPING=1")
    #expect(server.wait() == 0)
  }

  @Test("is asked for more time again and again while migrations run or are awaited", arguments: ["on", "off"])
  func migrating(onStart: String) throws {
    let (ear, url) = (try Ear(), try TestDatabase.make())
    let configuration = DatabaseConfiguration(url: url)
    let server = try Database.standalone(configuration, connectSeconds: 10) { database in
      // The lock holds up a server that migrates by itself; the other waits for the migrator below.
      try await database.transaction { transaction in
        _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(Migrator.lockKey))")
        let server = try ServerProcess(
          ["serve"], ["NOTIFY_SOCKET": ear.path, "DATABASE_URL": url, "MIGRATE_ON_START": onStart])
        for _ in 1...2 { #expect(ear.hear { _ in true } == "EXTEND_TIMEOUT_USEC=60000000") }
        return server
      }
    }
    _ = try Database.standalone(configuration, connectSeconds: 10) { try await Migrator(database: $0).run() }
    #expect(ear.hear() == "READY=1")
    server.signal(SIGTERM)
    #expect(ear.hear { _ in true } == "STOPPING=1")
    #expect(server.wait() == 0)
  }

  @Test("is told which process takes over, and then gets that one's signs of life")
  func succession() throws {
    let ear = try Ear()
    let server = try ServerProcess(
      ["serve"], ["NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "200000"], shell: "WATCHDOG_PID=$$ exec env")
    _ = try server.port()
    #expect(ear.hear() == "READY=1")
    server.signal(SIGUSR2)
    let successor = pid_t(try server.number("process", in: try server.line("Started a successor")))
    defer { kill(successor, SIGTERM) }
    var news: Set<String> = []
    while news.count < 2, let text = ear.hear() { news.insert(text) }
    #expect(news == ["READY=1", "MAINPID=\(successor)"])
    #expect(server.wait() == 0)
    while ear.hear({ _ in true }) != "WATCHDOG=1" {}
  }

  @Test("is told that the first process serves again when its successor has died")
  func takingBack() throws {
    let ear = try Ear()
    let server = try ServerProcess(["serve"], ["NOTIFY_SOCKET": ear.path])
    _ = try server.port()
    server.signal(SIGUSR2)
    let successor = pid_t(try server.number("process", in: try server.line("Handing over")))
    kill(successor, SIGKILL)
    _ = try server.line("Serving again")
    var news: [String] = []
    while news.count < 4, let text = ear.hear() { news.append(text) }
    #expect(news.filter { $0.hasPrefix("MAINPID") } == ["MAINPID=\(successor)", "MAINPID=\(server.process)"])
    server.signal(SIGTERM)
    #expect(server.wait() == 0)
  }

  private static let settings: [([String: String], pause: UInt64?, isThere: Bool)] = [
    ([:], nil, false), (["NOTIFY_SOCKET": ""], nil, false), (["NOTIFY_SOCKET": "@"], nil, false),
    (["NOTIFY_SOCKET": "vsock:2:1"], nil, false), (["NOTIFY_SOCKET": "relative"], nil, false),
    (["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 107)], nil, false),
    (["NOTIFY_SOCKET": "/run/x"], nil, true), (["NOTIFY_SOCKET": "@x"], nil, true),
    (["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000"], 15_000_000_000, true),
    (["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"], 15_000_000_000, true),
    (["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"], nil, true),
    (["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "-5"], nil, true),
    (["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"], nil, true),
    (["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "18446744073709551615"], nil, true),
  ]

  @Test("exists if its variables are valid, and wants signs of life only of the process that they name")
  func variables() {
    for (variables, pause, isThere) in Self.settings {
      let supervisor = Supervisor({ variables[$0] }, isSuccessor: false)
      #expect((supervisor != nil) == isThere, "\(variables)")
      #expect(supervisor?.alivePauseNanoseconds == pause, "\(variables)")
    }
    let inherited = ["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1"]
    #expect(Supervisor({ inherited[$0] }, isSuccessor: true)?.alivePauseNanoseconds == 2_000_000_000)
  }

  @Test("can be told again once it has read what filled its socket")
  func fullEar() throws {
    let ear = try Ear()
    let supervisor = try #require(Supervisor({ ["NOTIFY_SOCKET": ear.path][$0] }, isSuccessor: false))
    var count = 0
    while supervisor.tell(.alive) { count += 1 }
    #expect(count > 0)
    for _ in 0..<count { #expect(ear.hear { _ in true } == "WATCHDOG=1") }
    #expect(supervisor.tell(.stopping))
    #expect(ear.hear() == "STOPPING=1")
  }

  @Test("whose socket was full for a while gets no signs of life that it has missed, but all the rest")
  func deafEar() throws {
    let ear = try Ear()
    let supervisor = try #require(Supervisor({ ["NOTIFY_SOCKET": ear.path][$0] }, isSuccessor: false))
    while supervisor.tell(.alive) {}
    // A sign of life is due every 10 ms.
    let server = try ServerProcess(
      ["serve"], ["NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "20000"], shell: "WATCHDOG_PID=$$ exec env")
    _ = try server.port()
    let start = Clock.monotonic()
    while Clock.monotonic() < start + 2_000_000_000 { usleep(50_000) }
    #expect(ear.hear { $0 == "READY=1" } != nil)
    _ = ear.drain(atMost: 10_000)
    let emptied = Clock.monotonic()
    while Clock.monotonic() < emptied + 300_000_000 { usleep(10_000) }
    // Not many more than were due since: those of the two seconds before would be 200 more.
    let due = Int((Clock.monotonic() - emptied) / 10_000_000)
    #expect(ear.drain(atMost: 10_000) < due + 70)
    server.signal(SIGTERM)
    #expect(ear.hear() == "STOPPING=1")
    #expect(server.wait() == 0)
  }

  @Test("that is gone causes no failure")
  func gone() {
    for path in ["/nonsense/socket", "@terroir-nobody"] {
      #expect(Supervisor({ ["NOTIFY_SOCKET": path][$0] }, isSuccessor: false)?.tell(.serving) == true)
    }
  }
}
