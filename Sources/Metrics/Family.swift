/// All series of one name: `Family<Counter>`, `Family<Gauge>` or `Family<Histogram>`, made by a `Registry`.
///
/// A child is what one shard records into for one set of label values. Resolve and keep children when their owner is
/// set up, such as a route. Where label values come with the data, resolve in place: a shard finds values that it has
/// met before in a dictionary of its own, without a lock.
///
/// Once the family, or one of its labels, has reached its cap, new values are counted under `_other`, and each such
/// resolution in `metrics_series_overflow_total`.
public final class Family<Instrument: Sendable>: Sendable {
  let table: SeriesTable
  @usableFromInline let caches: [ShardCache]
  @usableFromInline let make: @Sendable (UnsafeMutablePointer<MetricCell>) -> Instrument

  init(
    _ table: SeriesTable, overflow: [Counter],
    _ make: @escaping @Sendable (UnsafeMutablePointer<MetricCell>) -> Instrument
  ) {
    self.table = table
    self.make = make
    caches = (0..<table.shards).map { shard in
      ShardCache(table, shard: shard, overflow: overflow.isEmpty ? nil : overflow[shard])
    }
    // A family without labels has its one series from the start, so that a counter is seen at zero before it rises.
    if table.description.labels.isEmpty { _ = table.resolve([]) }
  }

  /// The name, help, type and label names of the family.
  public var description: FamilyDescription { table.description }

  /// Returns the child into which `shard` records for these label values, one for each label name.
  ///
  /// Call it on the thread that owns the shard, or before that thread runs: each shard remembers its children without
  /// a lock. Values longer than 256 bytes count as `_other`.
  @inlinable public func child(shard: Int, _ labelValues: [String]) -> Instrument {
    make(caches[shard].cells(labelValues))
  }

  /// Returns the child into which `shard` records for these label values, one for each label name.
  ///
  /// Call it on the thread that owns the shard, or before that thread runs.
  @inlinable public func child(shard: Int, _ labelValues: String...) -> Instrument {
    child(shard: shard, labelValues)
  }
}
