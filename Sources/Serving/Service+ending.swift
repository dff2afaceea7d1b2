import Reactor
import Telemetry

/// The end of a service, by a signal or by its successor: what is in flight is finished first.
extension Service {
  /// Begins to end: readiness says so at once, and requests are served for a while longer, so that load balancers can
  /// go elsewhere.
  func terminate() {
    guard stage == .starting || stage == .serving else { return }
    stage = .draining
    tellSupervisor(.stopping)
    successor?.kill()
    let seconds = isAccepting ? process.configuration.listening.drainSeconds : 0
    housekeeping?.log(.info, "Draining") { $0.field("seconds", seconds) }
    housekeeping?.beginDraining()
    for worker in workers { worker.submit { $0.beginDraining() } }
    loop.schedule(afterNanoseconds: UInt64(seconds) * 1_000_000_000) { [self] in shutDown() }
  }

  func shutDown() {
    guard stage != .ending else { return }
    stage = .ending
    for worker in workers { shutDown(worker) }
  }

  func shutDown(_ worker: LoopBound<Worker>) {
    let owner = LoopBound(self, to: loop)
    let milliseconds = process.configuration.listening.shutdownSeconds * 1_000
    worker.submit { worker in
      worker.shutDown(withinMilliseconds: milliseconds) { owner.submit { $0.workerEnded() } }
    }
  }

  private func workerEnded() {
    running -= 1
    guard running == 0 else { return }
    loop.spawn { [self] in
      await housekeeping?.finish()
      housekeeping?.close()
      loop.stop()
    }
  }

  /// Stops the password threads and exports the remaining spans, after the last loop has stopped. The log is closed by
  /// its maker.
  func closeProcess() {
    process.passwords.stop()
    if let exporter = process.exporter { _ = exporter.close(deadlineMilliseconds: LogSink.flushMilliseconds) }
  }
}
