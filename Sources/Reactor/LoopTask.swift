/// A task of a loop that runs one body after another, since making a task costs more than most bodies do.
final class LoopTask {
  private var body: (() async -> Void)?
  private var continuation: LoopContinuation<Void>?

  // Invariant 1: the loop outlives its tasks.
  private unowned(unsafe) let loop: EventLoop

  init(_ body: @escaping () async -> Void, on loop: EventLoop) {
    self.body = body
    self.loop = loop
  }

  /// Runs bodies until it is resumed without one, or the loop does not keep it.
  func run() async {
    while await runBody(), loop.keep(self) {
      await withLoopContinuation { continuation = $0 }
    }
  }

  /// Runs the present body; returns false if there is none. In a function of its own, so that nothing of a body is held
  /// while the task waits for the next.
  private func runBody() async -> Bool {
    guard let body = body.take() else { return false }
    await body()
    return true
  }

  /// Resumes the task to run `body`, or to end if it is nil.
  func resume(_ body: (() async -> Void)?) {
    self.body = body
    continuation.take()!.resume()
  }
}
