import Glibc
import Postgres
import Reactor
import Synchronization
import Telemetry
import Testing
import Values

@testable import Serving
@testable import Settings

/// The real service in this process: two loops on a port of their own, the real private stores, a database of its own.
final class LiveServer: Sendable {
  /// The server that most tests share. Each makes users of its own, so that they do not meet.
  static let shared = Result { try LiveServer() }

  let port: UInt16
  let metricsPort: UInt16
  let databaseURL: String
  let configuration: Configuration
  private let stopper: @Sendable () -> Void
  private let thread: SystemThread
  /// Lines that the service logged, as they were written.
  let log: LogCapture

  /// Starts a server; `settings` are variables that replace the usual ones.
  init(_ settings: [String: String] = [:]) throws {
    databaseURL = try settings["DATABASE_URL"] ?? TestDatabase.make()
    var variables = [
      "ENVIRONMENT": "test", "PORT": "0", "METRICS_PORT": "0", "HOST": "127.0.0.1", "WORKERS": "2",
      "LOG_FORMAT": "json",
      "DATABASE_URL": databaseURL, "REDIS_URL": try TestStores.redisURL,
      "REDIS_PREFIX": "test-\(Identifier.make(unixMilliseconds: 0)):",
      "JWT_SECRET": "0123456789abcdef-0123456789-ABCDEF",
      "INSIGHTS_INTERVAL_SECONDS": "0", "READINGS_RAW_DAYS": "30",
      // How full the disk is that tests run on is no matter of theirs.
      "HEALTH_DISK_FREE_SHARE": "0",
    ]
    if try TestStores.areShared(databaseURL) { variables["DATABASE_STATEMENT_TIMEOUT_MILLISECONDS"] = "20000" }
    variables.merge(settings) { $1 }
    let machine = Machine(processors: 2, randomSecret: String(repeating: "9", count: 64))
    let configuration = try Configuration.load(RawEnvironment(variables: variables, machine: machine))
    self.configuration = configuration
    let log = try LogCapture()
    self.log = log
    let started = Mutex<Started?>(nil)
    thread = try SystemThread(name: "service") {
      do {
        let logs = LogSink(style: configuration.logStyle, descriptor: log.writeEnd)
        defer { logs.close(deadlineMilliseconds: LogSink.flushMilliseconds) }
        let service = try Service(configuration, logs: logs)
        let stopper = service.stopper
        try service.run(handlingSignals: false) {
          started.withLock { $0 = Started(port: service.port, metricsPort: service.metricsPort ?? 0, stop: stopper) }
        }
      } catch {
        started.withLock { $0 = Started(port: 0, metricsPort: 0, stop: {}) }
      }
    }
    guard let ready = Self.wait(for: { started.withLock { $0 } }), ready.port != 0 else {
      throw StartFailed(log: log.lines)
    }
    port = ready.port
    metricsPort = ready.metricsPort
    stopper = ready.stop
    guard Self.wait(for: { (try? Wire(port: port).get("/startupz").status) == 200 ? true : nil }) != nil else {
      stop()
      throw StartFailed(log: log.lines)
    }
  }

  /// Stops the server and waits until all its threads have ended.
  func stop() {
    stopper()
    thread.join()
  }

  struct StartFailed: Error {
    let log: [String]
  }

  private struct Started {
    let port: UInt16
    let metricsPort: UInt16
    let stop: @Sendable () -> Void
  }

  /// Waits for a value as long as a busy machine needs, two minutes at the least.
  private static func wait<Value>(for value: () -> Value?) -> Value? {
    for _ in 0..<12_000 {
      if let value = value() { return value }
      usleep(10_000)
    }
    return nil
  }
}

/// Where the private stores are that the test command starts.
enum TestStores {
  struct Missing: Error, CustomStringConvertible {
    let description =
      "DATABASE_URL and REDIS_URL are not set: run the tests by `make test`, which starts private stores."
  }

  static var databaseURL: String { get throws { try variable("DATABASE_URL") } }
  static var redisURL: String { get throws { try variable("REDIS_URL") } }

  /// Whether a database is on the Postgres that all tests share: nobody stops that, so what it answers late is late
  /// because the machine is busy.
  static func areShared(_ url: String) throws -> Bool {
    let base = try databaseURL
    return url.hasPrefix(base[...base.lastIndex(of: "/")!])
  }

  static func variable(_ name: String) throws -> String {
    guard let value = getenv(name) else { throw Missing() }
    return String(cString: value)
  }
}

/// Makes empty databases on the private Postgres.
enum TestDatabase {
  /// The URL of a new database, on the Postgres that all tests share unless another one is named.
  static func make(on server: String? = nil) throws -> String {
    let base = try server ?? TestStores.databaseURL
    let name = "api_" + Identifier.make(unixMilliseconds: Clock.unixMilliseconds()).description.filter { $0 != "-" }
    var configuration = DatabaseConfiguration(url: base)
    // It copies a template, which a busy disk makes wait; all tests wait for it.
    configuration.statementTimeoutMilliseconds = 120_000
    configuration.connectTimeoutMilliseconds = 20_000
    try Database.standalone(configuration, connectSeconds: 60) { database in
      _ = try await database.execute("CREATE DATABASE \(unescaped: name)")
    }
    let end = base.lastIndex(of: "/")!
    return "\(base[..<end])/\(name)"
  }
}

/// Gathers what the service writes to its log.
final class LogCapture: Sendable {
  private struct State {
    var lines: [String] = []
    var rest: [UInt8] = []
  }

  /// How long a line is waited for, in nanoseconds.
  private static let patienceNanoseconds: UInt64 = 120_000_000_000

  let writeEnd: Int32
  private let state = Mutex(State())

  init() throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    writeEnd = ends[1]
    let readEnd = ends[0]
    SystemThread.detached("log-capture") { [weak self] in
      defer { close(readEnd) }
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = read(readEnd, &chunk, chunk.count)
        guard count > 0, let self else { return }
        self.take(chunk[..<count])
      }
    }
  }

  deinit { close(writeEnd) }

  private func take(_ bytes: ArraySlice<UInt8>) {
    let newline = UInt8(ascii: "\n")
    state.withLock { state in
      state.rest += bytes
      guard let end = state.rest.lastIndex(of: newline) else { return }
      state.lines += state.rest[..<end].split(separator: newline).map { String(decoding: $0, as: UTF8.self) }
      state.rest.removeSubrange(...end)
    }
  }

  /// The lines so far.
  var lines: [String] { state.withLock { $0.lines } }

  /// The line that contains a text, or of several the `count`th; waits for it, and gives nil when it does not come.
  func line(_ text: String, count: Int = 1) -> String? {
    let end = Clock.monotonic() + Self.patienceNanoseconds
    var (seen, found) = (0, 0)
    repeat {
      for line in lines[seen...] {
        seen += 1
        if line.contains(text) { found += 1 }
        if found == count { return line }
      }
      usleep(10_000)
    } while Clock.monotonic() < end
    return nil
  }
}
