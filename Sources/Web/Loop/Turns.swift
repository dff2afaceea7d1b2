import Reactor

/// Turns at something of which one loop does only so much at a time, for long reads. How many wait is bounded, and for
/// how long.
final class Turns {
  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private var free: Int
  private var waiting: [Pending<Void>] = []

  /// Makes `count` turns at a time.
  init(_ count: Int, on loop: EventLoop) {
    self.loop = loop
    free = count
  }

  /// Waits for a turn. Throws 503 when `maximum` others wait already, or the turn does not come within `nanoseconds`.
  func take(behind maximum: Int, nanoseconds: UInt64) async throws {
    if free > 0 {
      free -= 1
      return
    }
    guard waiting.count < maximum else { throw Problem(Limit.longReads) }
    let turn = Pending<Void>()
    waiting.append(turn)
    let timer = loop.schedule(afterNanoseconds: nanoseconds) { [weak self] in
      self?.waiting.removeAll { $0 === turn }
      turn.complete(.failure(Problem(Limit.longReads)))
    }
    defer { loop.cancel(timer) }
    try await turn.value()
  }

  /// Gives the turn to whoever has waited longest.
  func end() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().complete(.success(())) }
  }
}
