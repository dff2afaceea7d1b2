import Synchronization

/// How fresh the replica of each loop that serves requests is, for a scrape.
package final class ReplicaFreshness: Sendable {
  private let coveredUntil: Mutex<[UInt64]>

  init(loops: Int, now: UInt64) { coveredUntil = Mutex(Array(repeating: now, count: loops)) }

  /// Notes the moment up to which a loop's replica has everything, in nanoseconds of the monotonic clock; 0, for
  /// unknown, is ignored.
  func note(_ moment: UInt64, loop: Int) {
    coveredUntil.withLock { moments in
      if moments.indices.contains(loop), moment > 0 { moments[loop] = moment }
    }
  }

  /// How long ago that moment is, in seconds, on the loop whose replica lags most.
  func lagSeconds(at now: UInt64) -> Double {
    let oldest = coveredUntil.withLock { $0.min() ?? now }
    return Double(now - min(now, oldest)) / 1e9
  }
}
