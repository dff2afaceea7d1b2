import CLinux
import Glibc

/// A detached thread for work that blocks, with all signals blocked: they belong to the loops' signalfd.
enum BackgroundThread {
  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// Starts a thread of that name (at most 15 bytes), which calls `body` once. Traps when the system has none left.
  static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var thread = pthread_t()
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
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
    precondition(code == 0, "pthread_create failed: \(code)")
    pthread_detach(thread)
  }
}
