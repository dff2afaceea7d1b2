import Synchronization

/// One number of a metric: written by one thread with a relaxed load and store, read by any.
public typealias MetricCell = Atomic<UInt64>

/// The cells of one family's series, in chunks that hold several series each, shard after shard.
///
/// What one shard writes lies together, and a shard's part of a chunk fills whole pairs of cache lines, so that no two
/// shards ever write to the same line (nor to the neighbour that the processor fetches along with it).
/// Each cell has one writing thread (invariant 3 of ARCHITECTURE.md).
struct CellStore: ~Copyable, @unchecked Sendable {
  private static let alignmentBytes = 128
  private static let seriesPerChunk = 16

  private let shards: Int
  private let cellsPerSeries: Int
  private let seriesPerChunk: Int
  /// The distance from a series' cells of one shard to those of the next, in cells.
  let shardStride: Int
  private var next: UnsafeMutablePointer<MetricCell>?
  private var left = 0

  init(shards: Int, cellsPerSeries: Int, isSingle: Bool) {
    self.shards = shards
    self.cellsPerSeries = cellsPerSeries
    seriesPerChunk = isSingle ? 1 : Self.seriesPerChunk
    let cellsPerLine = Self.alignmentBytes / MemoryLayout<MetricCell>.stride
    shardStride = (seriesPerChunk * cellsPerSeries + cellsPerLine - 1) / cellsPerLine * cellsPerLine
  }

  /// Returns the cells of a new series for shard 0, all zero; those of shard `s` are `s * shardStride` further.
  mutating func allocate() -> UnsafeMutablePointer<MetricCell> {
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
