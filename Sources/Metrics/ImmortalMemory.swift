import Synchronization

/// Memory that lives as long as the process.
///
/// A counter is a bare pointer, so that recording touches no reference count; since its cells are never freed it cannot
/// dangle, whatever becomes of the registry. The blocks are listed so that leak checkers find them reachable.
enum ImmortalMemory {
  // Invariant 4: the list is behind a mutex, and what the blocks hold is atomic or never changes.
  private struct Block: @unchecked Sendable { let start: UnsafeMutableRawPointer }
  private static let blocks = Mutex<[Block]>([])

  static func cells(_ count: Int, alignment: Int) -> UnsafeMutablePointer<MetricCell> {
    let cells = allocate(byteCount: count * MemoryLayout<MetricCell>.stride, alignment: alignment)
      .bindMemory(to: MetricCell.self, capacity: count)
    for index in 0..<count { (cells + index).initialize(to: MetricCell(0)) }
    return cells
  }

  static func copy<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafePointer<Value> {
    let copies = allocate(byteCount: values.count * MemoryLayout<Value>.stride, alignment: 64)
      .bindMemory(to: Value.self, capacity: values.count)
    copies.initialize(from: values, count: values.count)
    return UnsafePointer(copies)
  }

  private static func allocate(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer {
    let start = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: alignment)
    let block = Block(start: start)
    blocks.withLock { $0.append(block) }
    return start
  }
}
