import CLinux
import Glibc

/// Signals as events of a loop (signalfd(2)).
///
/// `block` must run before any thread starts, so that every thread inherits the mask and no signal interrupts one.
package final class Signals: EventHandler {
  private let fd: Int32
  private let received: (Int32) -> Void

  /// Blocks `signals` in the calling thread and in all threads that it starts from now on. SIGPIPE is ignored. SIGCHLD
  /// is not, even where the parent ignored it: the kernel would then reap children before they can be waited for.
  package static func block(_ signals: [Int32]) {
    var mask = set(of: signals)
    pthread_sigmask(SIG_BLOCK, &mask, nil)
    signal(SIGPIPE, SIG_IGN)
    signal(SIGCHLD, SIG_DFL)
  }

  /// Calls `received` on the loop with the number of each of `signals` as it arrives.
  package init(_ signals: [Int32], on loop: EventLoop, _ received: @escaping (Int32) -> Void) throws {
    var mask = Self.set(of: signals)
    fd = try checked("signalfd") { signalfd(-1, &mask, Int32(SFD_NONBLOCK | SFD_CLOEXEC)) }
    self.received = received
    try loop.add(fd, .readable, self)
  }

  package func ready(_ readiness: Readiness) {
    var info = signalfd_siginfo()
    while retrying({ read(fd, &info, MemoryLayout<signalfd_siginfo>.size) }) == MemoryLayout<signalfd_siginfo>.size {
      received(Int32(info.ssi_signo))
    }
  }

  deinit { close(fd) }

  private static func set(of signals: [Int32]) -> sigset_t {
    var mask = sigset_t()
    sigemptyset(&mask)
    for signal in signals { sigaddset(&mask, signal) }
    return mask
  }
}
