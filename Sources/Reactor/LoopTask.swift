/// A task of a loop that runs one body after another, since to make a task costs more than most bodies do.
final class LoopTask {
  private var body: (() async -> Void)?
  private var continuation: LoopContinuation<Void>?

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop

  init(_ body: @escaping () async -> Void, on loop: EventLoop) {
    self.body = body
    self.loop = loop
  }

  /// Runs bodies until there is none, or the loop keeps it no longer.
  func run() async {
    while await runBody(), loop.keep(self) {
      await withLoopContinuation { continuation = $0 }
    }
  }

  /// In a function of its own, so that nothing of a body is held while the task waits for the next.
  private func runBody() async -> Bool {
    guard let body = body.take() else { return false }
    await body()
    return true
  }

  /// Queues the task's next job, which runs `body` or without one ends the task.
  func resume(_ body: (() async -> Void)?) {
    self.body = body
    continuation.take()!.resume()
  }
}
