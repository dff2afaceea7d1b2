import CLinux
import Glibc
import Synchronization

/// Watches the loops of a process from a thread of its own, so that a loop that hangs is noticed whatever it does.
///
/// It counts its own checks rather than time: a process that was stopped, or a machine that slept, has not hung.
package final class Watchdog: Sendable {
  /// A loop to watch, and its name for people.
  package struct Subject: Sendable {
    package let name: String
    package let heartbeat: Heartbeat

    package init(name: String, heartbeat: Heartbeat) {
      self.name = name
      self.heartbeat = heartbeat
    }
  }

  /// The interval of checks, in milliseconds: not shorter than the longest sleep of an idle loop.
  package static let intervalMilliseconds = 1_000
  /// The number of checks after which a loop that has not turned counts as hung.
  package static let patience = 30
  /// How long the hung thread may take to write its stack, in milliseconds.
  static let abortMilliseconds = 2_000

  private let subjects: [Subject]
  private let isStopped = Atomic<Bool>(false)

  /// Starts to watch; calls `onHang` on the watchdog's thread, once, with the first loop that hangs.
  package init(
    _ subjects: [Subject], intervalMilliseconds: Int = Watchdog.intervalMilliseconds, patience: Int = Watchdog.patience,
    onHang: @escaping @Sendable (Subject) -> Void
  ) {
    self.subjects = subjects
    // The first backtrace loads a library, which a hung thread may be unable to do.
    var frame: UnsafeMutableRawPointer?
    _ = backtrace(&frame, 1)
    SystemThread.detached("watchdog") { [self] in
      if let subject = watch(intervalMilliseconds, patience) { onHang(subject) }
    }
  }

  /// Ends the watch at the next check. Not needed for loops that have ended.
  package func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Waits for a loop to hang and returns it; nil once the watch is stopped.
  private func watch(_ intervalMilliseconds: Int, _ patience: Int) -> Subject? {
    var seen = subjects.map { (beat: $0.heartbeat.lastBeat, looks: 0) }
    while !isStopped.load(ordering: .relaxed) {
      poll(nil, 0, Int32(intervalMilliseconds))
      for (index, subject) in subjects.enumerated() {
        let beat = subject.heartbeat.lastBeat
        let isSame = beat != .max && beat == seen[index].beat
        seen[index] = (beat, isSame ? seen[index].looks + 1 : 0)
        if seen[index].looks >= patience { return subject }
      }
    }
    return nil
  }

  /// Ends the process by SIGABRT, after the hung thread has written its stack to standard error.
  package static func abort(_ subject: Subject) -> Never {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 64) { frames in
        guard let first = frames.baseAddress else { return }
        backtrace_symbols_fd(first, backtrace(first, Int32(frames.count)), STDERR_FILENO)
      }
      raise(SIGABRT)
    }
    // The second SIGABRT ends the process, even if the handler itself hangs.
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER
    sigaction(SIGABRT, &action, nil)
    let text = "terroir: \(subject.name) is stuck; its stack:\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
    if let thread = subject.heartbeat.owner {
      pthread_kill(thread, SIGABRT)
      poll(nil, 0, Int32(abortMilliseconds))
    }
    Glibc.abort()
  }
}
