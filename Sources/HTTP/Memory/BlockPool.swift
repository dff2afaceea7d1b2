import Glibc

/// Blocks of memory of one size that the connections of a loop lend each other, so that an idle one holds none.
///
/// Each is a mapping of its own, so that what is given back leaves the process.
final class BlockPool {
  /// The most free blocks that are kept, and how many of them are kept for good.
  static let keptBlocks = 256
  static let leastKeptBlocks = 4

  let blockBytes: Int
  private let memory: MemoryBudget
  @exclusivity(unchecked) private var free: [UnsafeMutableRawPointer] = []

  /// The blocks that are with connections.
  @exclusivity(unchecked) private(set) var lent = 0

  init(blockBytes: Int, of memory: MemoryBudget) {
    self.blockBytes = blockBytes
    self.memory = memory
    free.reserveCapacity(Self.keptBlocks)
  }

  deinit {
    for block in free { release(block) }
  }

  /// A block, with whatever it held before: the one that was given back last, which is likely still in the cache.
  /// Nil when the process has no memory left for one.
  @inline(__always)
  func take() -> UnsafeMutableRawPointer? {
    guard let block = free.popLast() ?? make() else { return nil }
    lent &+= 1
    return block
  }

  @inline(__always)
  func give(_ block: UnsafeMutableRawPointer) {
    lent &-= 1
    if free.count < Self.keptBlocks { free.append(block) } else { release(block) }
  }

  /// Gives half of what is free back to the system; false when no more is to be given.
  func trim() -> Bool {
    let count = (free.count - Self.leastKeptBlocks + 1) / 2
    guard count > 0 else { return false }
    // The first are those that were not used for the longest.
    for block in free.prefix(count) { release(block) }
    free.removeFirst(count)
    return true
  }

  @inline(never)
  private func make() -> UnsafeMutableRawPointer? {
    guard memory.take(blockBytes, .blocks) else { return nil }
    guard let block = Mapping.make(blockBytes) else {
      memory.give(blockBytes, .blocks)
      return nil
    }
    return block
  }

  private func release(_ block: UnsafeMutableRawPointer) {
    Mapping.end(block, blockBytes)
    memory.give(blockBytes, .blocks)
  }
}

/// Memory right from the system, which goes back there at once when it is given up: the allocator would keep it.
enum Mapping {
  static func make(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let mapping = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return mapping == MAP_FAILED ? nil : mapping
  }

  static func end(_ block: UnsafeMutableRawPointer, _ bytes: Int) { munmap(block, bytes) }
}
