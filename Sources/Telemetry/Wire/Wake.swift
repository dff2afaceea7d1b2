import CLinux
import Glibc
import Reactor

/// A call from any thread to one that sleeps (eventfd(2)).
final class Wake: Sendable {
  private let fd: Int32

  /// Traps when the process has no descriptor left, which at start means that nothing would work.
  init() {
    fd = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    precondition(fd >= 0, "eventfd failed")
  }

  deinit { close(fd) }

  /// Ends the sleep of the thread that waits, or its next one.
  func call() {
    var one: UInt64 = 1
    _ = retrying { write(fd, &one, 8) }
  }

  /// Sleeps until called, or for `milliseconds` (-1: for ever). Returns whether it was called.
  @discardableResult
  func wait(milliseconds: Int) -> Bool {
    var descriptor = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, Int32(clamping: milliseconds)) > 0 else { return false }
    var count: UInt64 = 0
    return Glibc.read(fd, &count, 8) == 8
  }
}
