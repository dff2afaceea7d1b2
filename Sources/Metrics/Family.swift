/// All series of one name: `Family<Counter>`, `Family<Gauge>` or `Family<Histogram>`, made by a `Registry`.
///
/// A child is what one shard records into for one set of label values. Resolve children when what they belong to is set
/// up, a route for instance, and keep them; where label values come with the data, resolve in place: a shard that has
/// met the values before finds them in a dictionary of its own, without a lock.
///
/// When the family is full, or a label has all the values it may have, `_other` stands in for what comes later, and
/// each such resolution counts in `metrics_series_overflow_total`.
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
    // Without labels there is one series, which is there from the start: a counter is seen at zero before it rises.
    if table.description.labels.isEmpty { _ = table.resolve([]) }
  }

  /// What the family is called and means.
  public var description: FamilyDescription { table.description }

  /// The child into which `shard` records for these label values, one for each label name.
  ///
  /// Call it on the thread that owns the shard, or before that thread runs: each shard remembers its children without
  /// a lock. Values longer than 256 bytes count as `_other`.
  @inlinable public func child(shard: Int, _ labelValues: [String]) -> Instrument {
    make(caches[shard].cells(labelValues))
  }

  /// The child into which `shard` records for these label values, one for each label name.
  ///
  /// Call it on the thread that owns the shard, or before that thread runs.
  @inlinable public func child(shard: Int, _ labelValues: String...) -> Instrument {
    child(shard: shard, labelValues)
  }
}
