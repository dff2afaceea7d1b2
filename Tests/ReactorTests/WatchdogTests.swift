import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Reactor

@Suite("A watchdog")
struct WatchdogTests {
  @Test("finds the loop that hangs, and not the one that turns")
  func hanging() throws {
    let (turning, hanging) = (Running("turning"), Running("hanging"))
    let (found, end) = (Gate(), Gate())
    let name = Mutex("")
    let watchdog = Watchdog([turning.subject, hanging.subject], intervalMilliseconds: 100, patience: 30) { subject in
      name.withLock { $0 = subject.name }
      found.open()
    }
    hanging.executor.submit { end.wait() }
    found.wait()
    #expect(name.withLock { $0 } == "hanging")
    watchdog.stop()
    end.open()
    turning.stop()
    hanging.stop()
  }

  @Test("ends the process by SIGABRT with the stack of the loop that hangs")
  func aborting() async throws {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let running = Running("loop-7")
      let never = Gate()
      running.executor.submit { never.wait() }
      _ = Watchdog([running.subject], intervalMilliseconds: 10, patience: 5) { Watchdog.abort($0) }
      Gate().wait()
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("loop-7 is stuck; its stack:"))
    // The frames of the handler, of the wait, and of the loop that called it.
    #expect(text.matches(of: /\[0x[0-9a-f]+\]/).count > 6)
  }
}

/// A loop that runs on its own thread until it is stopped.
private final class Running: Sendable {
  let subject: Watchdog.Subject
  let executor: LoopExecutor
  private let stopper: @Sendable () -> Void

  init(_ name: String) {
    let heartbeat = Heartbeat()
    let made = Gate()
    nonisolated(unsafe) var parts: (LoopExecutor, @Sendable () -> Void)?
    SystemThread.detached(name) {
      let loop = try! EventLoop(index: 0, heartbeat: heartbeat)
      let bound = LoopBound(loop, to: loop)
      parts = (loop.executor, { bound.submit { $0.stop() } })
      made.open()
      loop.run()
    }
    made.wait()
    (executor, stopper) = parts!
    subject = Watchdog.Subject(name: name, heartbeat: heartbeat)
  }

  func stop() { stopper() }
}
