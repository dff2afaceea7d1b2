import Synchronization

/// The memory that the connections of all servers of a process may hold together: blocks, bodies and waiting output.
///
/// It is asked when memory is taken from the system or returned to it, never on the way of a usual request, whose
/// blocks come from its loop's pool, so that loops do not contend for it.
package final class MemoryBudget: Sendable {
  /// To whom memory is charged, and how much of the budget they may take.
  package enum Share: Sendable {
    /// The first blocks of a connection, without which it cannot be served: the whole budget.
    case blocks
    /// Known clients: seven eighths of the budget, so that connections still find blocks.
    case known
    /// Clients of whom nothing is known yet: half of the budget.
    case unknown
  }

  package let bytes: Int
  private let used = Atomic(0)
  private let usedByUnknown = Atomic(0)

  package init(bytes: Int) { self.bytes = bytes }

  /// Charges `count` bytes; returns false, and charges nothing, if the share has fewer left.
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

  /// Takes back a charge of `count` bytes.
  func give(_ count: Int, _ share: Share) {
    used.subtract(count, ordering: .relaxed)
    if share == .unknown { usedByUnknown.subtract(count, ordering: .relaxed) }
  }

  /// The bytes charged at present.
  package var usedBytes: Int { used.load(ordering: .relaxed) }

  /// Whether more than three quarters of the budget, or for unknown clients of their half, are taken, so that slow
  /// clients must hurry (`HTTPLimits.shortGraceMilliseconds`, `.shortBytesPerSecond`).
  func isShort(of share: Share) -> Bool {
    used.load(ordering: .relaxed) > bytes / 4 * 3
      || share == .unknown && usedByUnknown.load(ordering: .relaxed) > bytes / 8 * 3
  }
}

/// A charge on a budget, taken back with the last reference.
package final class MemoryCharge: Sendable {
  let bytes: Int
  private let budget: MemoryBudget
  private let share: MemoryBudget.Share

  /// Nil if the share has fewer than `bytes` left.
  package init?(_ bytes: Int, of budget: MemoryBudget, _ share: MemoryBudget.Share) {
    guard budget.take(bytes, share) else { return nil }
    self.bytes = bytes
    self.budget = budget
    self.share = share
  }

  deinit { budget.give(bytes, share) }
}
