import Reactor

/// A deadline for Redis that is extended once if the loop itself was delayed.
///
/// When the loop fires it late, because a turn took long, the answer may be in the socket, unread, or the command may
/// have left only just now.
final class FairTimer {
  /// How late a timer may fire before the loop counts as delayed, in nanoseconds.
  static let toleranceNanoseconds: UInt64 = 50_000_000
  /// The extension, in nanoseconds.
  static let graceNanoseconds: UInt64 = 200_000_000

  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private var timer: Timer?

  /// Calls `action` once, `nanoseconds` from the start of this turn.
  init(on loop: EventLoop, afterNanoseconds nanoseconds: UInt64, _ action: @escaping () -> Void) {
    self.loop = loop
    let due = loop.now &+ nanoseconds
    timer = loop.schedule(afterNanoseconds: nanoseconds) { [self] in
      if loop.now > due &+ Self.toleranceNanoseconds {
        timer = loop.schedule(afterNanoseconds: Self.graceNanoseconds, action)
      } else {
        timer = nil
        action()
      }
    }
  }

  func cancel() {
    if let timer { loop.cancel(timer) }
    timer = nil
  }
}
