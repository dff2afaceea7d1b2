import Synchronization

/// Makes ids each of which is greater than all before it, on whichever thread they are made, unless the clock steps
/// back by more than `longestLeadMilliseconds`.
///
/// The 12 bits after the milliseconds count within one of them, from a random number on that leaves room for 2048 ids;
/// beyond that the ids run ahead of the clock, and when the clock stands or steps back a little they go on from where
/// they were (RFC 9562, section 6.2, method 1). After a larger step back they go on from the clock: it was wrong
/// before, and ids that stay ahead would put lists out of order until it has caught up. The other 62 bits are random.
package final class IdentifierSequence: Sendable {
  /// How far ids run ahead of the clock at most, in milliseconds.
  package static let longestLeadMilliseconds: UInt64 = 10_000

  /// Milliseconds and count of the last id, as `Identifier.make` takes them.
  private let last = Atomic<UInt64>(0)

  package init() {}

  /// Makes the next id, of the given moment or a later one.
  package func next(unixMilliseconds: Int64) -> Identifier {
    let fresh = UInt64(bitPattern: unixMilliseconds) << Identifier.countBits | .random(in: 0..<Self.firstCounts)
    var known = last.load(ordering: .relaxed)
    while true {
      let isAhead = known > fresh &+ Self.longestLead
      let tick = isAhead ? fresh : max(fresh, known + 1)
      let (isDone, current) = last.weakCompareExchange(expected: known, desired: tick, ordering: .relaxed)
      if isDone { return Identifier.make(tick: tick) }
      known = current
    }
  }

  private static let firstCounts: UInt64 = 2_048
  private static let longestLead = longestLeadMilliseconds << Identifier.countBits
}
