/// Tasks of one loop that wait for the same event, each as long as it has patience.
package final class WaitList {
  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private var waiters: [Pending<Bool>] = []

  package init(on loop: EventLoop) { self.loop = loop }

  /// Waits for the next `release`, at most that long; gives whether it came. The end of one's patience is no other's.
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

  /// Lets all go that wait.
  package func release() {
    let released = waiters
    waiters = []
    for waiter in released { waiter.complete(.success(true)) }
  }
}
