import Reactor

/// A deadline for Redis that the loop's own delays do not count against.
///
/// When the loop fires it late, because a turn took long, the answer may lie unread in the socket, or the question
/// may only just have left: then there is a little more time, once.
final class FairTimer {
  /// How late a timer may fire before the loop counts as delayed.
  static let toleranceNanoseconds: UInt64 = 50_000_000
  /// The time that is given then.
  static let graceNanoseconds: UInt64 = 200_000_000

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private var timer: Timer?

  /// Calls `action` once, that long from the start of this turn.
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
