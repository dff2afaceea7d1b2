import Synchronization

/// Observations counted by size in buckets, as one shard writes them.
///
/// Recording finds the bucket and adds to two cells, without locks, allocation or reference counting; only the thread
/// that owns the shard may do it. A scrape that comes between the two cells sees a sum that is one observation behind.
public struct Histogram: @unchecked Sendable {
  /// The counts of the buckets with that of +Inf, not cumulative; then the sum; then the exemplars' slots, if any.
  @usableFromInline let cells: UnsafeMutablePointer<Cell>
  /// The bounds in pairs, the last filled up with +Inf.
  @usableFromInline let bounds: UnsafePointer<SIMD2<Double>>
  @usableFromInline let boundCount: Int
  private let keepsExemplars: Bool

  init(_ cells: UnsafeMutablePointer<Cell>, _ shape: HistogramShape) {
    self.cells = cells
    bounds = shape.bounds
    boundCount = shape.boundCount
    keepsExemplars = shape.keepsExemplars
  }

  /// Counts one observation, in the unit of the family's name.
  ///
  /// A negative, infinite or NaN value is not counted: the sum must rise, and stay a number.
  @inlinable public func observe(_ value: Double) {
    guard value >= 0, value < .infinity else { return }
    add(value, bucket: bucket(of: value))
  }

  /// Counts one observation and keeps its trace as the newest of its bucket, if the family keeps exemplars.
  public func observe(_ value: Double, exemplar: Exemplar) {
    guard value >= 0, value < .infinity else { return }
    let bucket = bucket(of: value)
    add(value, bucket: bucket)
    guard keepsExemplars else { return }
    ExemplarSlot(cells: cells + boundCount + 2 + bucket * ExemplarSlot.cellCount).write(exemplar, value: value)
  }

  /// The first bucket whose bound is not below the value.
  ///
  /// All bounds are compared, two at a time: 6 ns for 17 of them whatever comes, where a search that stops early takes
  /// from 3 to 18 as the processor guesses its branches.
  @inlinable func bucket(of value: Double) -> Int {
    let wanted = SIMD2(repeating: value)
    var below = SIMD2<Int64>.zero
    for pair in 0..<(boundCount + 1) / 2 {
      below &+= SIMD2<Int64>.zero.replacing(with: 1, where: bounds[pair] .< wanted)
    }
    return Int(below[0] &+ below[1])
  }

  @inlinable func add(_ value: Double, bucket: Int) {
    let count = cells + bucket
    count.pointee.store(count.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    let sum = cells + boundCount + 1
    let total = Double(bitPattern: sum.pointee.load(ordering: .relaxed)) + value
    sum.pointee.store(total.bitPattern, ordering: .relaxed)
  }
}
