/// Finds a value's bucket with one look at a table, by the value's exponent and the first bits of its fraction.
///
/// Doubles that are not negative sort as their bits do, so the bits above `shift` divide them into cells: octaves, or
/// equal parts of octaves. The table holds, for each cell, the first bucket that a value in it may belong to. Cells are
/// cut fine enough that no two bounds share one, so that a single comparison then finds the bucket, however many there
/// are.
@usableFromInline struct BucketIndex: BitwiseCopyable {
  /// An octave is cut into 2^4 cells at most; bounds that share one even then are compared one by one.
  private static let maximumFractionBits = 4

  /// The first bucket of each cell from `firstCell` on; the last entry is for everything above the bounds.
  @usableFromInline let firstBuckets: UnsafePointer<UInt8>
  /// The upper bounds of the buckets, rising, with +Inf at the end.
  @usableFromInline let bounds: UnsafePointer<Double>
  /// The number of bounds, without +Inf.
  @usableFromInline let boundCount: Int
  @usableFromInline let shift: Int
  /// The cell of the first bound above zero; values below it count as in it.
  @usableFromInline let firstCell: Int
  /// The index in `firstBuckets` of the entry for everything above the bounds.
  @usableFromInline let lastCell: Int

  /// Makes an index of rising bounds, in memory that is never freed.
  static func make(_ bounds: [Double]) -> UnsafePointer<BucketIndex> {
    ImmortalMemory.copy([BucketIndex(bounds)])
  }

  private init(_ bounds: [Double]) {
    let shift = Self.shift(for: bounds)
    let cells = bounds.map { Self.cell($0, shift) }
    let first = cells.first { $0 > 0 } ?? 0
    let last = cells[cells.count - 1] + 1
    // Values below the first cell count as in it, so its entry is the first bucket.
    firstBuckets = ImmortalMemory.copy([0] + (first + 1...last).map { cell in UInt8(cells.prefix { $0 < cell }.count) })
    self.bounds = ImmortalMemory.copy(bounds + [.infinity])
    boundCount = bounds.count
    self.shift = shift
    firstCell = first
    lastCell = last - first
  }

  /// The coarsest shift at which no two bounds share a cell; the finest if there is none.
  private static func shift(for bounds: [Double]) -> Int {
    let finest = Double.significandBitCount - maximumFractionBits
    return (finest...Double.significandBitCount).last { shift in
      zip(bounds, bounds.dropFirst()).allSatisfy { cell($0, shift) < cell($1, shift) }
    } ?? finest
  }

  /// The cell of a value; that of negative zero is negative.
  @inlinable static func cell(_ value: Double, _ shift: Int) -> Int {
    Int(truncatingIfNeeded: Int64(bitPattern: value.bitPattern) &>> Int64(truncatingIfNeeded: shift))
  }

  /// The first bucket whose bound is not below `value`, which must be a number and not negative.
  @inlinable @inline(__always) func bucket(of value: Double) -> Int {
    let cell = Self.cell(value, shift) &- firstCell
    var bucket = Int(firstBuckets[max(0, min(cell, lastCell))])
    bucket &+= bounds[bucket] < value ? 1 : 0
    while bounds[bucket] < value { bucket &+= 1 }
    return bucket
  }
}
