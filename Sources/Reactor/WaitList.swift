/// Tasks of one loop that wait for the same event, each with a time-out of its own.
package final class WaitList {
  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private var waiters: [Pending<Bool>] = []

  package init(on loop: EventLoop) { self.loop = loop }

  /// Waits for the next `release`, at most `nanoseconds`; returns whether it came. A time-out ends this wait alone.
  package func wait(nanoseconds: UInt64) async -> Bool {
    let pending = Pending<Bool>()
    waiters.append(pending)
    let timer = loop.schedule(afterNanoseconds: nanoseconds) { [weak self] in
      self?.waiters.removeAll { $0 === pending }
      pending.complete(.success(false))
    }
    defer { loop.cancel(timer) }
    return (try? await pending.value()) ?? false
  }

  /// Resumes all waiting tasks.
  package func release() {
    let released = waiters
    waiters = []
    for waiter in released { waiter.complete(.success(true)) }
  }
}
