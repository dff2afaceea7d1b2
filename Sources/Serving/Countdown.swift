/// Calls back once after so many steps.
final class Countdown {
  private var left: Int
  private let done: () -> Void

  /// At once where there is no step to wait for.
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
