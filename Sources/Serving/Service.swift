import CLinux
import Glibc
import HTTP
import Metrics
import Reactor
import Secrets
import Settings
import Telemetry
import Values
import Web

/// Terroir at work: one worker for each core, and a housekeeping loop on the thread that calls `run`.
///
/// Requests are accepted once the schema was checked, every worker has Postgres and the probes say so.
package final class Service {
  /// How long a process with a successor waits for the next request on its open connections, in nanoseconds, so that
  /// none is closed while a client is sending one.
  static let handOverNanoseconds: UInt64 = 5_000_000_000
  /// How long the start waits for Postgres before probes are answered without it, in nanoseconds.
  static let storePatienceNanoseconds: UInt64 = 1_000_000_000
  /// How long a successor may take until it serves, in nanoseconds.
  static let successorPatienceNanoseconds: UInt64 = 30_000_000_000

  /// How long a start may take in all while it migrates or waits for migrations, in nanoseconds. Past this the
  /// supervisor's own time-out applies again.
  static let migrationLimitNanoseconds: UInt64 = 12 * 3_600_000_000_000
  /// How much time to start is asked of the supervisor at once, in nanoseconds, and the pause before it is asked again.
  static let startExtensionNanoseconds: UInt64 = 60_000_000_000
  static let startExtensionPauseNanoseconds: UInt64 = 1_000_000_000

  /// The pause before the supervisor is told again of news that it had no room for, in nanoseconds.
  static let supervisorPauseNanoseconds: UInt64 = 50_000_000

  /// Where the process is in its life.
  enum Stage {
    case starting, serving
    /// A successor serves new connections; this process finishes its own, and may still serve again.
    case handingOver
    /// Told to end: probes say no, requests are still served.
    case draining
    /// The workers finish what is in flight and stop.
    case ending
  }

  /// Allocations of this many bytes and more, such as bodies, are mapped, so that they leave the process when they are
  /// freed.
  private static let mappedBytes: Int32 = 256 * 1024

  let shared: ServiceContext
  var process: ProcessContext { shared.process }
  let loop: EventLoop
  private let heartbeat = Heartbeat()
  let predecessor: Predecessor?
  private let supervisor: Supervisor?
  private lazy var liveness = Liveness(loop: loop, heartbeats: process.heartbeats)
  var sockets: ServiceSockets
  private let exposition: Exposition
  var workers: [LoopBound<Worker>] = []
  var running = 0
  var usableWorkers = 0
  var threads: [SystemThread] = []
  var housekeeping: Housekeeping?
  var stage = Stage.starting
  var hasSchema = false
  /// Whether the last health report found Postgres healthy with our schema; the workers have that report.
  var isHealthy = false
  var isAccepting = false
  var onServing: () -> Void = {}
  var failure: SystemError?
  private var signals: Signals?
  let binary = Successor.ownBinary()
  var successor: Successor?

  /// The port that requests are served on, and the one for metrics alone, if any.
  package var port: UInt16 { sockets.port }
  package var metricsPort: UInt16? { sockets.metricsPort }

  /// Binds the sockets or takes over inherited ones. Throws `SystemError` when a port is in use.
  package init(_ configuration: Configuration, logs: LogSink) throws {
    linux_map_allocations_from(Self.mappedBytes)
    predecessor = Predecessor.find()
    supervisor = Supervisor.find(isSuccessor: predecessor != nil)
    sockets = try ServiceSockets(configuration)
    let workers = sockets.workers
    // One shard of metrics for each worker, one for housekeeping.
    loop = try EventLoop(index: workers, heartbeat: heartbeat)
    let instruments = Instruments(shards: workers + 1)
    let process = try ProcessContext(
      configuration, workers: workers, logs: logs, instruments: instruments, caller: loop)
    exposition = Exposition(instruments.registry, loop: loop, memory: process.memory)
    let pools = Relay()
    shared = ServiceContext(
      process: process,
      exposition: LoopBound(exposition, to: loop), poolChanged: LoopBound(pools, to: loop).call)
    pools.action = { [unowned self] in housekeeping?.health.runSoon() }
    exposition.refresh = { [unowned self] done in refreshGauges(done) }
  }

  /// Stops from any thread, as a termination signal does; for tests.
  package var stopper: @Sendable () -> Void {
    let bound = LoopBound(self, to: loop)
    return { bound.submit { $0.terminate() } }
  }

  /// Serves until it is stopped, on the calling thread. `handlingSignals` is false inside of tests, whose signals are
  /// not ours. Throws `SystemError` when another process has come to listen at a port during the start.
  package func run(handlingSignals: Bool = true, onServing: @escaping () -> Void = {}) throws {
    if handlingSignals {
      signals = try Signals([SIGTERM, SIGINT, SIGUSR2], on: loop) { [unowned self] in handle(signal: $0) }
    }
    self.onServing = onServing
    let housekeeping = try Housekeeping(
      loop: loop, shared, servesMetrics: sockets.metrics != nil,
      publish: { [unowned self] in adopt(report: $0) })
    self.housekeeping = housekeeping
    let owner = LoopBound(self, to: loop)
    for index in 0..<sockets.workers { try startWorker(index, owner) }
    let watchdog = watch()
    recordHistory(StatusHistory(process.instruments, now: loop.now))
    housekeeping.start(onStarted: { [unowned self] in hasSchema = true })
    extendStart(until: loop.now + Self.migrationLimitNanoseconds)
    waitForStores()
    loop.run()
    for thread in threads { thread.join() }
    watchdog.stop()
    closeProcess()
    if let failure { throw failure }
  }

  private func handle(signal: Int32) {
    if signal == SIGUSR2 { return startSuccessor() }
    switch stage {
    case .starting, .serving: terminate()
    case .handingOver: shutDown()
    // A second signal: end at once. Not by exit(3), which tears down what other threads still use.
    case .draining, .ending: _exit(1)
    }
  }

  private func startWorker(_ index: Int, _ owner: LoopBound<Service>) throws {
    let shared = shared
    running += 1
    let thread = try SystemThread(name: "loop-\(index)") {
      do {
        let loop = try EventLoop(index: index, heartbeat: shared.process.heartbeats[index])
        let worker = try Worker(loop: loop, shared, endpoints: EndpointTable.endpoints)
        let bound = LoopBound(worker, to: loop)
        owner.submit { $0.add(bound) }
        loop.run()
      } catch {
        // Configuration was checked before: what fails here is the machine.
        fatalError("a loop cannot start: \(error)")
      }
    }
    threads.append(thread)
  }

  /// Watches all loops, and aborts the process when one hangs: its supervisor starts another.
  private func watch() -> Watchdog {
    let loops = process.heartbeats.enumerated().map { Watchdog.Subject(name: "loop-\($0)", heartbeat: $1) }
    let logger = SharedLogger(process.logs)
    return Watchdog(loops + [Watchdog.Subject(name: "housekeeping", heartbeat: heartbeat)]) { subject in
      logger.log(.critical, "An event loop hangs") { $0.field("loop", subject.name) }
      Watchdog.abort(subject)
    }
  }

  /// Tells the supervisor, if there is one; again after a pause when it has no room. A sign of life is not repeated:
  /// the next one comes anyway, and all those missed would arrive at once.
  func tellSupervisor(_ news: Supervisor.News) {
    guard let supervisor, !supervisor.tell(news), news != .alive else { return }
    loop.schedule(afterNanoseconds: Self.supervisorPauseNanoseconds) { [unowned self] in tellSupervisor(news) }
  }

  /// Tells the supervisor periodically that all loops turn; when one does not, the supervisor hears nothing and acts.
  func showLife() {
    guard let pause = supervisor?.alivePauseNanoseconds else { return }
    if liveness.isAlive { tellSupervisor(.alive) }
    loop.schedule(afterNanoseconds: pause) { [unowned self] in showLife() }
  }

  private func add(_ worker: LoopBound<Worker>) {
    workers.append(worker)
    if let report = housekeeping?.health.last { worker.submit { $0.adopt(report: report) } }
    let owner = LoopBound(self, to: loop)
    worker.submit { $0.whenUsable { owner.submit { $0.workerBecameUsable() } } }
    if isAccepting { accept(on: workers.count - 1) }
    switch stage {
    case .starting, .serving: break
    case .handingOver: worker.submit { $0.handOver() }
    case .draining: worker.submit { $0.beginDraining() }
    case .ending: shutDown(worker)
    }
  }

  /// Has all workers refresh their gauges, then calls `done` on the housekeeping loop.
  private func refreshGauges(_ done: @escaping () -> Void) {
    let owner = LoopBound(Countdown(workers.count, done), to: loop)
    for worker in workers {
      worker.submit { worker in
        worker.refreshGauges()
        owner.submit { $0.step() }
      }
    }
  }

  /// Appends a point for the status page every few seconds, with all gauges up to date, and gives all points to the
  /// workers.
  private func recordHistory(_ history: StatusHistory) {
    loop.schedule(afterNanoseconds: UInt64(StatusHistory.intervalSeconds) * 1_000_000_000) { [unowned self] in
      refreshGauges { [unowned self] in
        guard let health = housekeeping?.health.last else { return }
        let moment = process.clock.moment(at: loop.boot, calendarOffset: loop.calendarOffset)
        history.record(now: loop.now, at: moment, report: health)
        for worker in workers { worker.submit { [points = history.points] in $0.show(history: points) } }
      }
      recordHistory(history)
    }
  }
}
