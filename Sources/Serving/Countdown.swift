/// Calls `done` once, after `count` steps.
final class Countdown {
  private var left: Int
  private let done: () -> Void

  /// Calls `done` at once if `count` is 0.
  init(_ count: Int, _ done: @escaping () -> Void) {
    left = count
    self.done = done
    if count == 0 { done() }
  }

  func step() {
    left -= 1
    if left == 0 { done() }
  }
}
