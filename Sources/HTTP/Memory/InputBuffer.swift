import Glibc

/// The blocks that connections read into: small ones, and large ones for a long head or a body that is on its way.
final class InputBlocks {
  let small: BlockPool
  let large: BlockPool
  /// The size of the table of header fields that every block ends with.
  let tableBytes: Int

  /// The bytes of requests that a small block holds: enough for most requests.
  private static let smallBytes = 6 * 1024

  /// Makes pools whose large blocks hold a head of `headBytes` and `readBytes` behind it.
  init(headBytes: Int, readBytes: Int, headerFields: Int, of memory: MemoryBudget) {
    tableBytes = headerFields * MemoryLayout<FieldSlice>.stride
    let largeBytes = (headBytes + readBytes + 15) & ~15
    small = BlockPool(blockBytes: min(Self.smallBytes, largeBytes) + tableBytes, of: memory)
    large = BlockPool(blockBytes: largeBytes + tableBytes, of: memory)
  }
}

/// What a connection has read and not yet used, in a block that it holds only while it needs one.
///
/// The front of the block keeps the head of the request in flight, to which the request's slices refer; the bytes read
/// since come after it. The end of the block is the table of header fields.
struct InputBuffer {
  /// The block, nil while the connection needs none.
  private(set) var base: UnsafeMutableRawPointer?
  private(set) var isLarge = false
  /// The bytes of the block before the table.
  private var capacity: Int
  /// Where the head of the request in flight ends, 0 without one: bytes before it stay where they are.
  private var floor = 0
  /// The first byte that is not used yet.
  private(set) var start = 0
  private var end = 0

  init(_ blocks: InputBlocks) { capacity = blocks.small.blockBytes - blocks.tableBytes }

  var isEmpty: Bool { start == end }
  /// The bytes that are not used yet.
  var count: Int { end &- start }
  /// How many bytes can be read into the block.
  var room: Int { capacity &- end }
  /// Where the next bytes go.
  var tail: UnsafeMutableRawPointer { base.unsafelyUnwrapped + end }
  /// The bytes that are not used yet, valid until the buffer is changed.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base.map { $0 + start }, count: count) }
  /// Room for the header fields of a head.
  var fields: UnsafeMutablePointer<FieldSlice> {
    (base.unsafelyUnwrapped + capacity).assumingMemoryBound(to: FieldSlice.self)
  }

  /// Takes a small block if there is none, and moves the unused bytes to the front when there is little room behind
  /// them. Returns false if there is no memory for a block.
  mutating func prepare(_ blocks: InputBlocks) -> Bool {
    if base == nil {
      base = blocks.small.take()
      if base == nil { return false }
    }
    if start == end {
      start = floor
      end = floor
    } else if room < capacity / 4, start > floor {
      memmove(base.unsafelyUnwrapped + floor, base.unsafelyUnwrapped + start, count)
      end = floor &+ count
      start = floor
    }
    return true
  }

  /// Moves everything to a large block, the head's bytes too. Returns false if there is no memory for one.
  mutating func grow(_ blocks: InputBlocks) -> Bool {
    guard !isLarge, let small = base, let large = blocks.large.take() else { return false }
    let largeCapacity = blocks.large.blockBytes - blocks.tableBytes
    memcpy(large, small, end)
    memcpy(large + largeCapacity, small + capacity, blocks.tableBytes)
    blocks.small.give(small)
    base = large
    capacity = largeCapacity
    isLarge = true
    return true
  }

  /// Notes that bytes were read to `tail`.
  mutating func append(_ count: Int) { end &+= count }

  /// Uses bytes up.
  mutating func consume(_ count: Int) { start &+= count }

  /// Uses bytes up that must stay in place until `releaseHead`.
  mutating func consumeHead(_ count: Int) {
    start &+= count
    floor = start
  }

  /// Gives up the head's bytes.
  mutating func releaseHead() { floor = 0 }

  /// Forgets what is unused.
  mutating func removeAll() { start = end }

  /// Gives the block back, with everything in it.
  mutating func release(to blocks: InputBlocks) {
    guard let block = base else { return }
    if isLarge {
      blocks.large.give(block)
      capacity = blocks.small.blockBytes - blocks.tableBytes
      isLarge = false
    } else {
      blocks.small.give(block)
    }
    base = nil
    start = 0
    end = 0
    floor = 0
  }
}
