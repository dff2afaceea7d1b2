import Synchronization

/// The memory that connections may hold, of all servers of a process together: their blocks, bodies and waiting output.
///
/// It is asked when memory is taken from the system or given back, never on the way of a usual request, whose blocks
/// come from its loop's pool: loops that count here do not contend.
package final class MemoryBudget: Sendable {
  /// Whom memory is for; each may take a part of the whole.
  package enum Share: Sendable {
    /// The first blocks of a connection, by which it is served at all: the whole.
    case blocks
    /// Those who are known: seven eighths of the whole, so that connections find blocks.
    case known
    /// Those of whom nothing is known yet: half of the whole.
    case unknown
  }

  package let bytes: Int
  private let used = Atomic(0)
  private let usedByUnknown = Atomic(0)

  package init(bytes: Int) { self.bytes = bytes }

  /// Notes that memory is taken; false, with nothing noted, if the share has not that much left.
  func take(_ count: Int, _ share: Share) -> Bool {
    let limit = share == .blocks ? bytes : bytes - bytes / 8
    guard used.add(count, ordering: .relaxed).newValue <= limit else {
      used.subtract(count, ordering: .relaxed)
      return false
    }
    guard share == .unknown, usedByUnknown.add(count, ordering: .relaxed).newValue > bytes / 2 else { return true }
    give(count, share)
    return false
  }

  /// Notes that memory was given back.
  func give(_ count: Int, _ share: Share) {
    used.subtract(count, ordering: .relaxed)
    if share == .unknown { usedByUnknown.subtract(count, ordering: .relaxed) }
  }

  /// The bytes taken at the moment.
  package var usedBytes: Int { used.load(ordering: .relaxed) }

  /// Whether so little is left of the whole, or of what is for the unknown, that nobody may sit on it.
  func isShort(of share: Share) -> Bool {
    used.load(ordering: .relaxed) > bytes / 4 * 3
      || share == .unknown && usedByUnknown.load(ordering: .relaxed) > bytes / 8 * 3
  }
}

/// Memory of a budget, given back with the last reference.
package final class MemoryCharge: Sendable {
  let bytes: Int
  private let budget: MemoryBudget
  private let share: MemoryBudget.Share

  /// Nil if the share has not that much left.
  package init?(_ bytes: Int, of budget: MemoryBudget, _ share: MemoryBudget.Share) {
    guard budget.take(bytes, share) else { return nil }
    self.bytes = bytes
    self.budget = budget
    self.share = share
  }

  deinit { budget.give(bytes, share) }
}
