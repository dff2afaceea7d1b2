import Reactor
import Synchronization

/// The heartbeats of all loops of the process, so that any of them can tell that another is stuck.
final class Heartbeats: Sendable {
  private let beats = Mutex<[Heartbeat]>([])

  /// Adds a loop's heartbeat, when the loop begins.
  func add(_ heartbeat: Heartbeat) { beats.withLock { $0.append(heartbeat) } }

  /// Takes a loop's heartbeat out, when the loop has ended.
  func remove(_ heartbeat: Heartbeat) { beats.withLock { $0.removeAll { $0 === heartbeat } } }

  /// How long ago the loop that turned least recently began its turn. Loops change only at start and end, so that
  /// the lock is free whenever a probe comes.
  var oldestNanoseconds: UInt64 { beats.withLock { $0.map(\.ageNanoseconds).max() ?? 0 } }
}
