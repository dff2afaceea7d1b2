import Reactor
import Settings
import Telemetry

/// The start of a service: it accepts once all of it is there, and tells its predecessor and its supervisor.
extension Service {
  func adopt(report: HealthReport) {
    for worker in workers { worker.submit { $0.adopt(report: report) } }
    isHealthy = hasSchema && report["database"]?.status == .healthy
    serveIfReady()
  }

  func workerBecameUsable() {
    usableWorkers += 1
    serveIfReady()
  }

  private func serveIfReady() {
    guard stage == .starting, isHealthy, usableWorkers == sockets.workers else { return }
    accept()
    guard stage == .starting else { return }
    stage = .serving
    predecessor?.tellServing()
    tellSupervisor(.serving)
    showLife()
    onServing()
  }

  /// Accepts after a while even if Postgres is away, so that probes can say so; not while a predecessor serves.
  func waitForStores() {
    loop.schedule(afterNanoseconds: Self.storePatienceNanoseconds) { [unowned self] in
      guard stage == .starting else { return }
      if predecessor?.isThere ?? false { return waitForStores() }
      accept()
    }
  }

  /// Asks the supervisor for more time while migrations run or are waited for, again and again until `deadline`: a
  /// process that took this one's place would begin the same index anew. A hung loop asks for nothing. Nor does a
  /// successor, for which systemd would give the process that serves more time until its next sign of life.
  func extendStart(until deadline: UInt64) {
    guard stage == .starting, !hasSchema, predecessor == nil, loop.now < deadline else { return }
    if housekeeping?.isMigrating ?? false {
      tellSupervisor(.starting(microseconds: Self.startExtensionNanoseconds / 1_000))
    }
    loop.schedule(afterNanoseconds: Self.startExtensionPauseNanoseconds) { [unowned self] in
      extendStart(until: deadline)
    }
  }

  private func accept() {
    guard !isAccepting else { return }
    do throws(SystemError) {
      try sockets.listen()
    } catch {
      failure = error
      return terminate()
    }
    isAccepting = true
    for index in workers.indices { accept(on: index) }
    housekeeping?.accept(from: sockets.metrics)
    housekeeping?.log(.info, "Listening") { line in
      line.field("host", process.configuration.listening.host)
      line.field("port", Int(port))
      if let metricsPort { line.field("metricsPort", Int(metricsPort)) }
    }
  }

  func accept(on index: Int) {
    let socket = sockets.requests[index]
    workers[index].submit { $0.accept(from: socket) }
  }
}
