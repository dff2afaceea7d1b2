/// A value that one task on a loop will provide and others on the same loop wait for.
///
/// Not Sendable: provider and waiters share a thread. It may be completed before, or long after, anyone waits.
package final class Pending<Value> {
  private var result: Result<Value, any Error>?
  private var waiters: [LoopContinuation<Void>] = []

  package init() {}

  /// Whether the value or error is there.
  package var isComplete: Bool { result != nil }

  /// Provides the value or the error; the first call counts, later ones change nothing.
  package func complete(_ result: Result<Value, any Error>) {
    guard self.result == nil else { return }
    self.result = result
    let resumed = waiters
    waiters = []
    for waiter in resumed { waiter.resume() }
  }

  /// Waits for the value, or throws the error it was completed with.
  package func value() async throws -> Value {
    if result == nil { await withLoopContinuation { waiters.append($0) } }
    return try result!.get()
  }
}
