import Synchronization

/// Observations counted by size in buckets, as one shard writes them.
///
/// Recording finds the bucket and adds to two cells, without locks, allocation or reference counting; only the thread
/// that owns the shard may record. A scrape between the two sees a sum that is one observation behind.
/// Each cell has one writing thread (invariant 3 of ARCHITECTURE.md).
public struct Histogram: @unchecked Sendable {
  /// The counts of the buckets with that of +Inf, not cumulative; then the sum; then the exemplars' slots, if any.
  @usableFromInline let cells: UnsafeMutablePointer<MetricCell>
  @usableFromInline let index: UnsafePointer<BucketIndex>
  private let keepsExemplars: Bool

  init(_ cells: UnsafeMutablePointer<MetricCell>, _ shape: HistogramShape) {
    self.cells = cells
    index = shape.index
    keepsExemplars = shape.keepsExemplars
  }

  /// Counts one observation, in the unit of the family's name.
  ///
  /// A negative, infinite or NaN value is not counted: the sum must rise, and stay a number.
  @inlinable public func observe(_ value: Double) {
    guard value >= 0, value < .infinity else { return }
    add(value, bucket: index.pointee.bucket(of: value))
  }

  /// Counts one observation and keeps its trace as the newest of its bucket, if the family keeps exemplars.
  public func observe(_ value: Double, exemplar: Exemplar) {
    guard value >= 0, value < .infinity else { return }
    let bucket = index.pointee.bucket(of: value)
    add(value, bucket: bucket)
    guard keepsExemplars else { return }
    let slots = cells + index.pointee.boundCount + 2
    ExemplarSlot(cells: slots + bucket * ExemplarSlot.cellCount).write(exemplar, value: value)
  }

  @inlinable func add(_ value: Double, bucket: Int) {
    let count = cells + bucket
    count.pointee.store(count.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    let sum = cells + index.pointee.boundCount + 1
    let total = Double(bitPattern: sum.pointee.load(ordering: .relaxed)) + value
    sum.pointee.store(total.bitPattern, ordering: .relaxed)
  }
}
