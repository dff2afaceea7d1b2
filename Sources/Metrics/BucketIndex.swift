/// Finds a value's bucket with one look at a table, by the value's exponent and the first bits of its fraction.
///
/// Numbers that are not negative are ordered as their bits are, so the bits above `shift` cut them into cells: octaves,
/// or equal parts of octaves. The table has the first bucket that a value of each cell may belong to. The cells are cut
/// as fine as it takes to have no two bounds in one, so that a single comparison then tells, however many there are.
@usableFromInline struct BucketIndex: BitwiseCopyable {
  /// The finest cut of an octave is into 2^4 cells: bounds that are nearer to each other are told apart one by one.
  private static let maximumFractionBits = 4

  /// The first bucket for each cell from the first, and for all that lies above the last.
  @usableFromInline let firstBuckets: UnsafePointer<UInt8>
  /// The upper bounds of the buckets, rising, with +Inf at the end.
  @usableFromInline let bounds: UnsafePointer<Double>
  /// How many bounds there are without +Inf.
  @usableFromInline let boundCount: Int
  @usableFromInline let shift: Int
  /// The cell of the first bound above zero; what lies below it counts as in it.
  @usableFromInline let firstCell: Int
  /// How many cells further the entry is for all that lies above the bounds.
  @usableFromInline let lastCell: Int

  /// Makes an index, in memory that is never given back, of rising bounds.
  static func make(_ bounds: [Double]) -> UnsafePointer<BucketIndex> {
    ImmortalMemory.copy([BucketIndex(bounds)])
  }

  private init(_ bounds: [Double]) {
    let shift = Self.shift(for: bounds)
    let cells = bounds.map { Self.cell($0, shift) }
    let first = cells.first { $0 > 0 } ?? 0
    let last = cells[cells.count - 1] + 1
    // What counts as in the first cell may lie below it, hence in the first bucket.
    firstBuckets = ImmortalMemory.copy([0] + (first + 1...last).map { cell in UInt8(cells.prefix { $0 < cell }.count) })
    self.bounds = ImmortalMemory.copy(bounds + [.infinity])
    boundCount = bounds.count
    self.shift = shift
    firstCell = first
    lastCell = last - first
  }

  /// The coarsest cut that leaves no two bounds in one cell, if there is one.
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

  /// The first bucket whose bound is not below the value, which must be a number that is not negative.
  @inlinable @inline(__always) func bucket(of value: Double) -> Int {
    let cell = Self.cell(value, shift) &- firstCell
    var bucket = Int(firstBuckets[max(0, min(cell, lastCell))])
    bucket &+= bounds[bucket] < value ? 1 : 0
    while bounds[bucket] < value { bucket &+= 1 }
    return bucket
  }
}
