import CLinux
import Glibc

/// A thread of the system: for an event loop, or for work that blocks.
///
/// It takes no signals but SIGABRT, which a watchdog sends: all others go to the loops' signalfd. Each thread is joined
/// or detached once.
package struct SystemThread: Sendable {
  private let thread: pthread_t

  /// Starts a thread called `name` (at most 15 bytes), which calls `body` once. Throws when the system has none left.
  ///
  /// A body that runs an event loop makes the loop itself, so that nothing of it ever belongs to another thread.
  package init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var thread = pthread_t()
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    sigdelset(&all, SIGABRT)
    pthread_sigmask(SIG_SETMASK, &all, &previous)
    let code = pthread_create(
      &thread, nil,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        pthread_setname_np(pthread_self(), start.name)
        start.body()
        return nil
      }, start.toOpaque())
    pthread_sigmask(SIG_SETMASK, &previous, nil)
    guard code == 0 else {
      start.release()
      throw SystemError("pthread_create", code: code)
    }
    self.thread = thread
  }

  /// Starts a detached thread. Traps when the system has none left.
  package static func detached(_ name: String, _ body: @escaping @Sendable () -> Void) {
    do { try SystemThread(name: name, body).detach() } catch { preconditionFailure("\(error)") }
  }

  /// Waits until the thread has ended. Must not be called on a loop.
  package func join() { pthread_join(thread, nil) }

  /// Detaches the thread: it may end at any time, or never.
  package func detach() { pthread_detach(thread) }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = String(name.prefix(15))
      self.body = body
    }
  }
}
