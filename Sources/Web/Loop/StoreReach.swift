import Synchronization

/// Which of the loops that serve requests can reach a store. Every loop asks it for all, since a probe is answered by
/// one.
package final class StoreReach: Sendable {
  private let missing: Mutex<Set<Int>>

  /// No loop has the store yet.
  init(loops: Int) { missing = Mutex(Set(0..<loops)) }

  /// Whether every loop has it.
  package var isWhole: Bool { missing.withLock { $0.isEmpty } }

  /// Notes that a loop has gained or lost the store; returns whether that changed `isWhole`.
  package func note(_ hasStore: Bool, loop: Int) -> Bool {
    missing.withLock { missing in
      let wasWhole = missing.isEmpty
      if hasStore { missing.remove(loop) } else { missing.insert(loop) }
      return missing.isEmpty != wasWhole
    }
  }
}
