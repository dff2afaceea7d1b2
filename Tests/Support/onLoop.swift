import Glibc
import Reactor
import Synchronization

/// Runs `body` as a task of a new loop with its own thread, and returns or throws what it does.
///
/// An expectation in `body` would not be attributed to the test: return what it needs.
@discardableResult
package func onLoop<Value: Sendable>(
  _ body: @escaping @Sendable (EventLoop) async throws -> Value
) throws -> Value {
  signal(SIGPIPE, SIG_IGN)
  let outcome = Mutex<Result<Value, any Error>?>(nil)
  let thread = try SystemThread(name: "test-loop") {
    guard let loop = try? EventLoop(index: 0) else { return }
    loop.schedule(afterNanoseconds: 0) { [unowned loop] in
      loop.spawn {
        do {
          let value = try await body(loop)
          outcome.withLock { $0 = .success(value) }
        } catch {
          outcome.withLock { $0 = .failure(error) }
        }
        loop.stop()
      }
    }
    loop.run()
  }
  thread.join()
  guard let result = outcome.withLock({ $0 }) else { throw SystemError("epoll_create1") }
  return try result.get()
}
