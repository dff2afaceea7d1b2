import Glibc
import Reactor
import Secrets
import Synchronization
import Telemetry
import Values

@testable import Serving
@testable import Settings

/// The real service in this process: two loops on a port of their own, the real private stores, a database of its own.
final class LiveServer: Sendable {
  /// The server that most tests share. Each makes users of its own, so that they do not meet.
  static let shared = Result {
    // Half of a loop's connections for transactions may be transfers': no fewer than tests that send one at a time. They
    // all sign in from one network, which has a quarter of the queue, some of them before a last one has left it.
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
  /// The hash of the password of everyone that `signedIn` makes.
  let passwordHash: String
  /// Lines that the service logged, as they were written.
  let log: LogCapture

  /// What passwords cost where no test is about their cost: with the real one, a quarter of all tests' time was theirs.
  static let passwordCost = ScryptCost(logarithm: 4, blockSize: 8, parallelism: 1)!

  /// Starts a server; `settings` are variables that replace the usual ones.
  init(_ settings: [String: String] = [:], passwordCost: ScryptCost = LiveServer.passwordCost) throws {
    databaseURL = try settings["DATABASE_URL"] ?? TestDatabase.makeMigrated()
    var variables = [
      "ENVIRONMENT": "test", "PORT": "0", "METRICS_PORT": "0", "HOST": "127.0.0.1", "WORKERS": "2",
      "LOG_FORMAT": "json",
      "JWT_SECRET": "0123456789abcdef-0123456789-ABCDEF",
      "INSIGHTS_INTERVAL_SECONDS": "0", "READINGS_RAW_DAYS": "30",
      // How full the disk is that tests run on is no matter of theirs.
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

  /// Stops whatever server still runs when the tests are done: exit(3) has libcrypto throw away what a thread that signs
  /// in to Postgres just then still uses. To be asked for once a server has used it: what came last is called first.
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

  /// Waits for a value as long as a busy machine needs, two minutes at the least.
  private static func wait<Value>(for value: () -> Value?) -> Value? {
    for _ in 0..<12_000 {
      if let value = value() { return value }
      usleep(10_000)
    }
    return nil
  }
}
