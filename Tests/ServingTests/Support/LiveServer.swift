import Glibc
import Reactor
import Secrets
import Synchronization
import Telemetry
import Values

@testable import Serving
@testable import Settings

/// The real service in this process: two loops, a port and a database of its own, on the private stores.
final class LiveServer: Sendable {
  /// The server that most tests share. Each test makes users of its own, so that tests do not affect each other.
  static let shared = Result {
    // Transfers may take half of a loop's transaction connections: enough for one of each running test. All tests sign
    // in from one network, which has a quarter of the hashing queue: two places for each test, since the hash of the
    // test before may not have left it.
    try LiveServer([
      "DATABASE_TRANSACTION_CONNECTIONS": "\(2 * BlockingThreads.count)",
      "PASSWORD_HASHING_QUEUE": "\(4 * 2 * BlockingThreads.count)",
    ])
  }

  let port: UInt16
  let metricsPort: UInt16
  let databaseURL: String
  let configuration: Configuration
  private let stopper: @Sendable () -> Void
  private let thread: SystemThread
  /// The hash of the password of all users that `signedIn` makes.
  let passwordHash: String
  /// The lines that the service logged, as they were written.
  let log: LogCapture

  /// A low cost of passwords, for tests that are not about it: the real one took a quarter of the time of all tests.
  static let passwordCost = ScryptCost(logarithm: 4, blockSize: 8, parallelism: 1)!

  /// Starts a server; `settings` are variables that replace the usual ones.
  init(_ settings: [String: String] = [:], passwordCost: ScryptCost = LiveServer.passwordCost) throws {
    databaseURL = try settings["DATABASE_URL"] ?? TestDatabase.makeMigrated()
    var variables = [
      "ENVIRONMENT": "test", "PORT": "0", "METRICS_PORT": "0", "HOST": "127.0.0.1", "WORKERS": "2",
      "LOG_FORMAT": "json",
      "JWT_SECRET": "0123456789abcdef-0123456789-ABCDEF",
      "INSIGHTS_INTERVAL_SECONDS": "0", "READINGS_RAW_DAYS": "30",
      // The tests pass on a full disk, too.
      "HEALTH_DISK_FREE_SHARE": "0",
    ]
    variables.merge(try TestStores.variables(for: databaseURL)) { $1 }
    variables.merge(settings) { $1 }
    let machine = Machine(processors: 2, randomSecret: String(repeating: "9", count: 64))
    var configuration = try Configuration.load(RawEnvironment(variables: variables, machine: machine))
    configuration.accounts.passwordCost = passwordCost
    passwordHash = Password.hash(Self.password, cost: passwordCost)
    let configured = configuration
    self.configuration = configured
    let log = try LogCapture()
    self.log = log
    let started = Mutex<Started?>(nil)
    thread = try SystemThread(name: "service") {
      do {
        let logs = LogSink(style: configured.logStyle, descriptor: log.writeEnd)
        defer { logs.close(deadlineMilliseconds: LogSink.flushMilliseconds) }
        let service = try Service(configured, logs: logs)
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
    Self.running.withLock { $0.append(self) }
    guard Self.wait(for: { (try? Wire(port: port).get("/startupz").status) == 200 ? true : nil }) != nil else {
      stop()
      throw StartFailed(log: log.lines)
    }
    _ = Self.stopsAtExit
  }

  /// Stops the server and waits until all its threads have ended.
  func stop() {
    Self.running.withLock { running in running.removeAll { $0 === self } }
    stopper()
    thread.join()
  }

  private static let running = Mutex<[LiveServer]>([])

  /// Stops the servers that still run when the tests are done: exit(3) has libcrypto free what a thread may still use
  /// that is signing in to Postgres. To be read once a server has used libcrypto, since the handler that was registered
  /// last is called first.
  private static let stopsAtExit: Void = {
    _ = atexit {
      for server in LiveServer.running.withLock({ $0 }) { server.stop() }
    }
  }()

  struct StartFailed: Error {
    let log: [String]
  }

  private struct Started {
    let port: UInt16
    let metricsPort: UInt16
    let stop: @Sendable () -> Void
  }

  /// Waits until `value` is not nil and returns it; nil after at least two minutes, enough on a busy machine.
  private static func wait<Value>(for value: () -> Value?) -> Value? {
    for _ in 0..<12_000 {
      if let value = value() { return value }
      usleep(10_000)
    }
    return nil
  }
}
