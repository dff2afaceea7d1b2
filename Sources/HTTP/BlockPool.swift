import Glibc

/// Blocks of memory of one size that the connections of a loop lend each other, so that an idle one holds none.
final class BlockPool {
  /// The most free blocks that are kept.
  static let keptBlocks = 256

  let blockBytes: Int
  @exclusivity(unchecked) private var free: [UnsafeMutableRawPointer] = []

  /// The blocks that are with connections.
  @exclusivity(unchecked) private(set) var lent = 0

  init(blockBytes: Int) {
    self.blockBytes = blockBytes
    free.reserveCapacity(Self.keptBlocks)
  }

  deinit {
    for block in free { Glibc.free(block) }
  }

  /// A block, with whatever it held before: the one that was given back last, which is likely still in the cache.
  @inline(__always)
  func take() -> UnsafeMutableRawPointer {
    lent &+= 1
    return free.popLast() ?? malloc(blockBytes)
  }

  @inline(__always)
  func give(_ block: UnsafeMutableRawPointer) {
    lent &-= 1
    if free.count < Self.keptBlocks { free.append(block) } else { Glibc.free(block) }
  }
}
