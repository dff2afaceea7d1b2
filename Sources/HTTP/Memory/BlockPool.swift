import Glibc

/// Blocks of memory of one size that the connections of a loop take turns to use, so that an idle one holds none.
///
/// Each block is a mapping of its own, so that its memory goes back to the system when it is freed.
final class BlockPool {
  /// The most free blocks that are kept.
  static let keptBlocks = 256
  /// The free blocks that `trim` leaves.
  static let leastKeptBlocks = 4

  let blockBytes: Int
  private let memory: MemoryBudget
  @exclusivity(unchecked) private var free: [UnsafeMutableRawPointer] = []

  /// The number of blocks that connections hold.
  @exclusivity(unchecked) private(set) var lent = 0

  init(blockBytes: Int, of memory: MemoryBudget) {
    self.blockBytes = blockBytes
    self.memory = memory
    free.reserveCapacity(Self.keptBlocks)
  }

  deinit {
    for block in free { release(block) }
  }

  /// Takes a block, if possible the one that was given back last, which is likely still in the cache; its content is
  /// whatever it was. Nil when the budget or the system has no memory for one.
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

  /// Frees half of the free blocks beyond `leastKeptBlocks`; returns false when there are none.
  func trim() -> Bool {
    let count = (free.count - Self.leastKeptBlocks + 1) / 2
    guard count > 0 else { return false }
    // The first have been unused the longest.
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

/// Memory directly from the system, which goes back there as soon as it is freed: the allocator would keep it.
enum Mapping {
  static func make(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let mapping = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return mapping == MAP_FAILED ? nil : mapping
  }

  static func end(_ block: UnsafeMutableRawPointer, _ bytes: Int) { munmap(block, bytes) }
}
