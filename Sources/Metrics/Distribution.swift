/// How many observations of a histogram fell into each of its buckets.
public struct Distribution: Equatable, Sendable {
  /// The upper bounds, rising, without +Inf.
  public let bounds: [Double]
  /// The number of observations above the previous bound and not above their own; one more than the bounds, for +Inf.
  public private(set) var counts: [UInt64]

  /// A distribution of these counts, which must be one more than the bounds.
  public init(bounds: [Double], counts: [UInt64]) {
    precondition(counts.count == bounds.count + 1, "a count for each bound and one for +Inf")
    self.bounds = bounds
    self.counts = counts
  }

  /// The number of all observations.
  public var count: UInt64 { counts.reduce(0, &+) }

  /// Returns what was observed since `earlier`, a reading of the same histogram.
  public func since(_ earlier: Distribution) -> Distribution {
    precondition(bounds == earlier.bounds, "readings of the same histogram")
    var difference = self
    for index in counts.indices { difference.counts[index] = counts[index] &- earlier.counts[index] }
    return difference
  }

  /// Returns the value that a `share` (0 to 1) of all observations does not exceed, as if they lay evenly within each
  /// bucket.
  ///
  /// Nil without observations; the greatest bound if the value lies above it.
  public func quantile(_ share: Double) -> Double? {
    let total = count
    guard total > 0, let last = bounds.last else { return nil }
    let rank = share * Double(total)
    var below = 0.0
    for (index, bound) in bounds.enumerated() {
      let inside = Double(counts[index])
      if inside > 0, below + inside >= rank {
        let low = index == 0 ? 0 : bounds[index - 1]
        return low + (bound - low) * max(rank - below, 0) / inside
      }
      below += inside
    }
    return last
  }
}
