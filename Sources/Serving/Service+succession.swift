import Glibc
import Reactor
import Telemetry

/// The process that takes this one's place without a failed request.
extension Service {
  /// Leaves new connections to the successor, and finishes those that are open.
  func handOver() {
    guard stage == .serving, let pid = successor?.pid else { return }
    stage = .handingOver
    tellSupervisor(.main(pid))
    housekeeping?.log(.info, "Handing over") { $0.field("process", Int(pid)) }
    housekeeping?.handOver()
    for worker in workers { worker.submit { $0.handOver() } }
    loop.schedule(afterNanoseconds: Self.handOverNanoseconds) { [self] in
      if successor?.pid == pid { shutDown() }
    }
  }

  /// Serves again, because the successor has ended before this process.
  private func takeBack() {
    stage = .serving
    tellSupervisor(.main(getpid()))
    housekeeping?.log(.warning, "Serving again")
    housekeeping?.takeBack()
    for worker in workers { worker.submit { $0.takeBack() } }
  }

  func startSuccessor() {
    guard stage == .serving, successor == nil else {
      housekeeping?.log(.warning, "Not starting a successor: one is already starting, or this process is not serving")
      return
    }
    // When process 1 of a PID namespace ends, the kernel kills the rest of it, the successor included.
    guard getpid() != 1 else {
      housekeeping?.log(.warning, "Not starting a successor: this is process 1 of its container, which ends with it")
      return
    }
    do {
      let started = try Successor(
        binary, passing: sockets.all, loop: loop, onServing: { [unowned self] in handOver() },
        onEnd: { [unowned self] in successorEnded($0) })
      successor = started
      housekeeping?.log(.info, "Started a successor") { $0.field("process", Int(started.pid)) }
      loop.schedule(afterNanoseconds: Self.successorPatienceNanoseconds) { [weak started] in
        if let started, !started.isServing { started.kill() }
      }
    } catch {
      housekeeping?.log(.error, "Could not start a successor") { $0.field("error", error: error) }
    }
  }

  /// Called when the successor has ended. Where this process was handing over, it serves again, or ends as the
  /// successor was told to.
  private func successorEnded(_ status: Int32) {
    successor = nil
    housekeeping?.log(.error, stage == .serving ? "The successor ended before it served" : "The successor ended") {
      if status & 0x7F == 0 {
        $0.field("exitCode", Int(status >> 8 & 0xFF))
      } else {
        $0.field("signal", Int(status & 0x7F))
      }
    }
    guard stage == .handingOver else { return }
    // A successor that was told to end leaves nothing to go on with.
    if status == 0 { shutDown() } else { takeBack() }
  }
}
