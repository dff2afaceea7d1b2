import Synchronization

/// Which of the loops that serve requests have a store. All of them ask it, since a probe is answered by one alone.
package final class StoreReach: Sendable {
  private let missing: Mutex<Set<Int>>

  /// No loop has the store yet.
  init(loops: Int) { missing = Mutex(Set(0..<loops)) }

  /// Whether every loop has it.
  package var isWhole: Bool { missing.withLock { $0.isEmpty } }

  /// Notes that a loop has gained or lost the store; gives whether `isWhole` has changed by that.
  package func note(_ hasStore: Bool, loop: Int) -> Bool {
    missing.withLock { missing in
      let wasWhole = missing.isEmpty
      if hasStore { missing.remove(loop) } else { missing.insert(loop) }
      return missing.isEmpty != wasWhole
    }
  }
}
