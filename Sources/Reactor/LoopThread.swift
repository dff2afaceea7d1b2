import CLinux
import Glibc

/// A thread that makes an event loop, prepares it and runs it until it stops.
package struct LoopThread {
  private let thread: pthread_t

  /// Starts a thread of that name (at most 15 bytes), which calls `body` once.
  ///
  /// `body` makes the loop itself, on its own thread, so that nothing of the loop ever belongs to another.
  package init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        pthread_setname_np(pthread_self(), start.name)
        start.body()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw SystemError("pthread_create", code: code)
    }
    self.thread = thread
  }

  /// Waits until the thread has ended. Never called on a loop.
  package func join() { pthread_join(thread, nil) }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = String(name.prefix(15))
      self.body = body
    }
  }
}
