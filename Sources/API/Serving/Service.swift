import CLinux
import Glibc
import HTTP
import Metrics
import Reactor
import Telemetry
import Values

/// Terroir at work: one worker for each core, and a housekeeping loop on the thread that calls `run`.
package final class Service {
  /// How long the last lines and spans may take to be written at the end, in milliseconds.
  static let flushMilliseconds = 2_000
  /// How long a process that has a successor waits for the next request on the connections it has, so that none is
  /// closed under a client that is just sending one.
  static let handOverNanoseconds: UInt64 = 5_000_000_000

  /// Allocations from this size on, such as bodies, leave the process with their last use, in bytes.
  private static let mappedBytes: Int32 = 256 * 1024

  let parts: ServiceParts
  var shared: Shared { parts.shared }
  private let loop: EventLoop
  private let heartbeat = Heartbeat()
  private let sockets: ServiceSockets
  private let exposition: Exposition
  private var workers: [LoopBound<Worker>] = []
  private var running = 0
  private var threads: [SystemThread] = []
  private var housekeeping: Housekeeping?
  private var isEnding = false
  private var signals: Signals?

  /// The port that requests are served on, and the one for metrics alone, if any.
  package var port: UInt16 { sockets.port }
  package var metricsPort: UInt16? { sockets.metricsPort }

  /// Opens the sockets or takes over inherited ones. Throws `SystemError` when a port is in use.
  package init(_ configuration: Configuration, logs: LogSink) throws {
    linux_map_allocations_from(Self.mappedBytes)
    sockets = try ServiceSockets(configuration)
    let workers = sockets.requests.count
    // One shard of metrics for each worker, one for housekeeping.
    loop = try EventLoop(index: workers, heartbeat: heartbeat)
    let instruments = Instruments(shards: workers + 1)
    let shared = try Shared(configuration, workers: workers, logs: logs, instruments: instruments)
    exposition = Exposition(instruments.registry, loop: loop, memory: shared.memory)
    let pools = Relay()
    parts = ServiceParts(
      shared: shared,
      exposition: LoopBound(exposition, to: loop), poolChanged: LoopBound(pools, to: loop).call)
    pools.action = { [unowned self] in housekeeping?.health.runSoon() }
    exposition.refresh = { [unowned self] done in refreshGauges(done) }
  }

  /// Stops from any thread, as a termination signal does.
  package var stopper: @Sendable () -> Void {
    let bound = LoopBound(self, to: loop)
    return { bound.submit { $0.terminate() } }
  }

  /// Serves until it is stopped, on the calling thread. `onSignal` is false inside of tests, whose signals are not ours.
  package func run(handlingSignals: Bool = true, onServing: @escaping () -> Void = {}) throws {
    if handlingSignals {
      signals = try Signals([SIGTERM, SIGINT, SIGQUIT, SIGUSR2], on: loop) { [unowned self] in received($0) }
    }
    let housekeeping = try Housekeeping(
      loop: loop, parts, metricsSocket: sockets.metrics,
      publish: { [unowned self] report in for worker in workers { worker.submit { $0.adopt(report) } } })
    self.housekeeping = housekeeping
    let owner = LoopBound(self, to: loop)
    for index in sockets.requests.indices { try startWorker(index, owner) }
    let watchdog = watch()
    recordHistory(StatusHistory(shared.instruments, now: loop.now))
    housekeeping.start(onStarted: {
      Successor.tellPredecessor()
      onServing()
    })
    loop.run()
    for thread in threads { thread.join() }
    watchdog.stop()
    flush()
  }

  private func startWorker(_ index: Int, _ owner: LoopBound<Service>) throws {
    let (parts, socket) = (parts, sockets.requests[index])
    running += 1
    let thread = try SystemThread(name: "loop-\(index)") {
      do {
        let loop = try EventLoop(index: index, heartbeat: parts.shared.heartbeats[index])
        let worker = try Worker(loop: loop, parts, socket: socket, endpoints: RouteTable.endpoints)
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

  /// Has a process of which a loop hangs ended: whoever supervises it starts another one.
  private func watch() -> Watchdog {
    let loops = shared.heartbeats.enumerated().map { Watchdog.Subject(name: "loop-\($0)", heartbeat: $1) }
    let logger = SharedLogger(shared.logs)
    return Watchdog(loops + [Watchdog.Subject(name: "housekeeping", heartbeat: heartbeat)]) { subject in
      logger.log(.critical, "A loop hangs") { $0.field("loop", subject.name) }
      Watchdog.abort(subject)
    }
  }

  private func add(_ worker: LoopBound<Worker>) {
    workers.append(worker)
    if let report = housekeeping?.health.last { worker.submit { $0.adopt(report) } }
    if isEnding { worker.submit { $0.beginDraining() } }
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

  /// Appends a point for the status page every few seconds, with all gauges up to date, and gives all to the workers.
  private func recordHistory(_ history: StatusHistory) {
    loop.schedule(afterNanoseconds: UInt64(StatusHistory.intervalSeconds) * 1_000_000_000) { [unowned self] in
      refreshGauges { [unowned self] in
        guard let health = housekeeping?.health.last else { return }
        history.record(now: loop.now, at: Timestamp(unixMilliseconds: loop.unixMilliseconds), report: health)
        for worker in workers { worker.submit { [points = history.points] in $0.adopt(points) } }
      }
      recordHistory(history)
    }
  }

  // MARK: Ending

  private func received(_ signal: Int32) {
    switch signal {
    case SIGUSR2: startSuccessor()
    case SIGQUIT: handOver()
    default:
      // A second signal: somebody does not want to wait. Not by exit(3), which tears down what other threads still use.
      if isEnding { _exit(1) }
      terminate()
    }
  }

  /// Probes say no at once; requests are served on for a while, so that load balancers can look elsewhere.
  private func terminate() {
    guard !isEnding else { return }
    isEnding = true
    housekeeping?.log("Draining", "seconds", shared.configuration.listening.drainSeconds)
    housekeeping?.beginDraining()
    for worker in workers { worker.submit { $0.beginDraining() } }
    loop.schedule(afterNanoseconds: UInt64(shared.configuration.listening.drainSeconds) * 1_000_000_000) { [self] in
      shutDown()
    }
  }

  /// A successor serves new connections; this process finishes those it has.
  private func handOver() {
    guard !isEnding else { return }
    isEnding = true
    for worker in workers { worker.submit { $0.handOver() } }
    loop.schedule(afterNanoseconds: Self.handOverNanoseconds) { [self] in shutDown() }
  }

  private func shutDown() {
    let owner = LoopBound(self, to: loop)
    let milliseconds = shared.configuration.listening.shutdownSeconds * 1_000
    for worker in workers {
      worker.submit { worker in
        worker.shutDown(withinMilliseconds: milliseconds) { owner.submit { $0.workerEnded() } }
      }
    }
  }

  private func workerEnded() {
    running -= 1
    guard running == 0 else { return }
    housekeeping?.close()
    loop.stop()
  }

  /// Writes what is left of logs and spans, after the last loop has stopped.
  private func flush() {
    shared.passwords.stop()
    if let exporter = shared.exporter { _ = exporter.close(deadlineMilliseconds: Self.flushMilliseconds) }
    _ = shared.logs.close(deadlineMilliseconds: Self.flushMilliseconds)
  }

  private func startSuccessor() {
    do {
      let process = try Successor.start(passing: sockets)
      housekeeping?.log("Started a successor", "process", Int(process))
    } catch {
      housekeeping?.log("Could not start a successor", error: error)
    }
  }
}

/// A call that is decided on later.
private final class Relay {
  var action: () -> Void = {}
}

extension LoopBound<Relay> {
  fileprivate var call: @Sendable () -> Void { { submit { $0.action() } } }
}

/// Calls back once after so many steps.
private final class Countdown {
  private var left: Int
  private let done: () -> Void

  init(_ count: Int, _ done: @escaping () -> Void) {
    left = count
    self.done = done
    if count == 0 { done() }
  }

  func step() {
    left -= 1
    if left == 0 { done() }
  }
}
