import Synchronization

/// One number of a metric: written by one thread with a relaxed load and store, read by any.
public typealias Cell = Atomic<UInt64>

/// Where the numbers of one family's series live: in chunks that hold, shard after shard, several series each.
///
/// What one shard writes lies together, and a shard's part of a chunk fills whole pairs of cache lines, so that no two
/// shards ever write to the same line (nor to the neighbour that the processor fetches along with it).
struct CellStore: ~Copyable, @unchecked Sendable {
  private static let alignmentBytes = 128
  private static let seriesPerChunk = 16

  private let shards: Int
  private let cellsPerSeries: Int
  private let seriesPerChunk: Int
  /// From a series' cells of one shard to those of the next.
  let shardStride: Int
  private var next: UnsafeMutablePointer<Cell>?
  private var left = 0

  init(shards: Int, cellsPerSeries: Int, isSingle: Bool) {
    self.shards = shards
    self.cellsPerSeries = cellsPerSeries
    seriesPerChunk = isSingle ? 1 : Self.seriesPerChunk
    let cellsPerLine = Self.alignmentBytes / MemoryLayout<Cell>.stride
    shardStride = (seriesPerChunk * cellsPerSeries + cellsPerLine - 1) / cellsPerLine * cellsPerLine
  }

  /// The cells of a new series for shard 0, all zero; those of shard `s` are `s * shardStride` further.
  mutating func allocate() -> UnsafeMutablePointer<Cell> {
    if left == 0 {
      next = ImmortalMemory.cells(shards * shardStride, alignment: Self.alignmentBytes)
      left = seriesPerChunk
    }
    guard let cells = next else { preconditionFailure("a chunk was just made") }
    next = cells + cellsPerSeries
    left -= 1
    return cells
  }
}

/// Memory that lives as long as the process.
///
/// A counter is a bare pointer, so that recording touches no reference count; since its cells are never given back it
/// cannot dangle, whatever becomes of the registry. The blocks are listed so that leak checkers see them as kept.
enum ImmortalMemory {
  private struct Block: @unchecked Sendable { let start: UnsafeMutableRawPointer }
  private static let blocks = Mutex<[Block]>([])

  static func cells(_ count: Int, alignment: Int) -> UnsafeMutablePointer<Cell> {
    let cells = allocate(byteCount: count * MemoryLayout<Cell>.stride, alignment: alignment)
      .bindMemory(to: Cell.self, capacity: count)
    for index in 0..<count { (cells + index).initialize(to: Cell(0)) }
    return cells
  }

  static func pairs(_ values: [SIMD2<Double>]) -> UnsafePointer<SIMD2<Double>> {
    let pairs = allocate(byteCount: values.count * MemoryLayout<SIMD2<Double>>.stride, alignment: 64)
      .bindMemory(to: SIMD2<Double>.self, capacity: values.count)
    for (index, value) in values.enumerated() { (pairs + index).initialize(to: value) }
    return UnsafePointer(pairs)
  }

  private static func allocate(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer {
    let start = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: alignment)
    let block = Block(start: start)
    blocks.withLock { $0.append(block) }
    return start
  }
}
