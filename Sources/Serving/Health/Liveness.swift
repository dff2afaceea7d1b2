import Reactor

/// Tells one loop whether all loops that serve requests, itself among them, are turning.
final class Liveness {
  /// A loop that has not turned for this long is stuck, in nanoseconds.
  static let longestTurnNanoseconds: UInt64 = 5_000_000_000

  private let loop: EventLoop
  private let heartbeats: [Heartbeat]
  @exclusivity(unchecked) private var lookedAt: UInt64 = 0
  @exclusivity(unchecked) private var wasAlive = true

  init(loop: EventLoop, heartbeats: [Heartbeat]) {
    self.loop = loop
    self.heartbeats = heartbeats
  }

  /// Whether every loop has begun a turn within that time. Determined once in each turn of the loop that asks.
  var isAlive: Bool {
    if loop.now != lookedAt {
      lookedAt = loop.now
      wasAlive = heartbeats.allSatisfy { $0.age(at: lookedAt) < Self.longestTurnNanoseconds }
    }
    return wasAlive
  }
}
