import Glibc
import Values

/// Bytes of answers that wait to be sent, in a block that is held only while there are any.
///
/// Its callers bound its growth: a connection begins no further answer, and a stream writes no further piece, while
/// more than `HTTPLimits.outputBytes` wait. What it takes beyond a block is charged to the budget. A long body is not
/// copied, but sent from where it is, after everything else.
struct OutputBuffer {
  /// The shortest body that is not copied, in bytes.
  static let tailBytes = 64 * 1024

  private let pool: BlockPool
  private let memory: MemoryBudget
  private var base: UnsafeMutableRawPointer?
  /// The end of the room to write to: the end of the block, or `end` while every append must go through `makeRoom`.
  private var capacity = 0
  /// The size of the block.
  private var blockBytes = 0
  /// The share that the block is charged to, if it is larger than one of the pool's.
  private var blockShare = MemoryBudget.Share.unknown
  private var tail: SharedBytes?
  /// The number of the tail's last bytes that are not sent yet.
  private var tailCount = 0
  /// The share that further growth is charged to.
  var share = MemoryBudget.Share.unknown
  /// Whether there was no memory for something that was appended, so that the content is not whole.
  private(set) var isOverdrawn = false
  private var start = 0
  private var end = 0
  /// The number of bytes that were ever taken out.
  private var taken = 0

  init(_ pool: BlockPool, of memory: MemoryBudget) {
    self.pool = pool
    self.memory = memory
  }

  var isEmpty: Bool { count == 0 }
  var count: Int { end &- start &+ tailCount }
  /// The number of bytes that were ever appended.
  var total: Int { taken &+ count }
  /// Whether there is more to send than what `withNext` passes.
  var hasMoreThanNext: Bool { tailCount > 0 && start != end }

  /// The number of bytes to be sent next: the block's, and then the tail's.
  var nextCount: Int { start == end ? tailCount : end &- start }

  /// Calls `body` with the bytes to be sent next. It changes nothing, but for a call that only reads, the buffer would
  /// be copied.
  @inline(__always)
  mutating func withNext<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    if start == end, let tail {
      return tail.bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0.suffix(tailCount))) }
    }
    return body(UnsafeRawBufferPointer(start: base.map { $0 + start }, count: end &- start))
  }

  /// Takes out the first `count` of the bytes to be sent next.
  mutating func consume(_ count: Int) {
    taken &+= count
    if start != end {
      start &+= count
      if start == end, tail != nil { releaseBlock() }
    } else {
      tailCount &-= count
      if tailCount == 0 { releaseTail() }
    }
  }

  /// Frees all memory, with everything in it.
  mutating func release() {
    taken &+= count
    start = end
    releaseBlock()
    if tail != nil { releaseTail() }
    isOverdrawn = false
  }

  private mutating func releaseBlock() {
    guard let block = base else { return }
    giveBack(block)
    base = nil
    blockBytes = 0
    capacity = 0
    start = 0
    end = 0
  }

  private mutating func releaseTail() {
    tail = nil
    tailCount = 0
    capacity = blockBytes
  }

  /// Removes what was appended since the total was `total`; returns false if some of it was sent.
  mutating func rewind(to total: Int) -> Bool {
    if tail != nil, total <= taken &+ end &- start { releaseTail() }
    guard total >= taken, tail == nil else { return false }
    end = start &+ (total &- taken)
    capacity = blockBytes
    isOverdrawn = false
    return true
  }

  /// Makes sure that the next `count` bytes can be appended without growing; returns false if there is no memory for
  /// them.
  @inline(__always)
  private mutating func reserve(_ count: Int) -> Bool { count <= capacity &- end || makeRoom(count) }

  @inline(__always)
  mutating func append(_ source: UnsafeRawPointer, _ count: Int) {
    guard reserve(count) else { return }
    memcpy(base.unsafelyUnwrapped + end, source, count)
    end &+= count
  }

  @inline(__always)
  mutating func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if let source = bytes.baseAddress, bytes.count > 0 { append(source, bytes.count) }
  }

  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Appends a body that other answers send too.
  mutating func append(_ body: SharedBytes) {
    guard body.bytes.count >= Self.tailBytes, tail == nil, !isOverdrawn else { return append(body.bytes) }
    tail = body
    tailCount = body.bytes.count
    // Whatever follows must go through `makeRoom`, which copies the tail.
    capacity = end
  }

  /// Appends a body of this answer alone; a long one is charged to the share.
  mutating func append(body bytes: [UInt8]) {
    guard bytes.count >= Self.tailBytes else { return append(bytes) }
    guard let charge = MemoryCharge(bytes.count, of: memory, share) else { return overdraw() }
    append(SharedBytes(bytes, charge))
  }

  /// Appends a number that is not negative in decimal.
  mutating func append(decimal number: Int) {
    guard reserve(DecimalText.integerBytes) else { return }
    end &+= (base.unsafelyUnwrapped + end).storeDecimal(UInt64(number))
  }

  /// Appends a number below 2^32 in lower-case hexadecimal.
  mutating func append(hexadecimal number: Int) {
    let digits = lowerHex(UInt32(number))
    // Leading zeros are left out, but for the last digit.
    let zeros = min((digits ^ 0x3030_3030_3030_3030).trailingZeroBitCount / 8, 7)
    guard reserve(8) else { return }
    (base.unsafelyUnwrapped + end).storeBytes(of: (digits >> UInt64(zeros * 8)).littleEndian, as: UInt64.self)
    end &+= 8 &- zeros
  }

  /// Appends the value of a field: a control character in it becomes a space, so that no value can end its line.
  mutating func append(fieldValue bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 0, reserve(bytes.count) else { return }
    append(bytes)
    let written = base.unsafelyUnwrapped + (end &- bytes.count)
    var position = RawSpan(_unsafeStart: written, byteCount: bytes.count).firstControl(from: 0)
    while position < bytes.count {
      written.storeBytes(of: ASCII.space, toByteOffset: position, as: UInt8.self)
      position = RawSpan(_unsafeStart: written, byteCount: bytes.count).firstControl(from: position &+ 1)
    }
  }

  /// Makes room for `count` further bytes: in a block from the pool, or a larger one of its own. Returns false if there
  /// is no memory for it, and from then on always.
  @inline(never)
  private mutating func makeRoom(_ count: Int) -> Bool {
    if isOverdrawn { return false }
    if base == nil {
      guard let block = pool.take() else {
        overdraw()
        return false
      }
      base = block
      blockBytes = pool.blockBytes
    }
    capacity = blockBytes
    if start > 0 {
      memmove(base.unsafelyUnwrapped, base.unsafelyUnwrapped + start, end &- start)
      end &-= start
      start = 0
    }
    let needed = end + tailCount + count
    guard needed <= capacity || grow(max(capacity * 2, needed)) else {
      overdraw()
      return false
    }
    takeInTail()
    return true
  }

  private mutating func grow(_ bytes: Int) -> Bool {
    guard memory.take(bytes, share) else { return false }
    guard let block = Mapping.make(bytes) else {
      memory.give(bytes, share)
      return false
    }
    memcpy(block, base.unsafelyUnwrapped, end)
    giveBack(base.unsafelyUnwrapped)
    base = block
    blockBytes = bytes
    blockShare = share
    capacity = bytes
    return true
  }

  private func giveBack(_ block: UnsafeMutableRawPointer) {
    if blockBytes == pool.blockBytes { return pool.give(block) }
    Mapping.end(block, blockBytes)
    memory.give(blockBytes, blockShare)
  }

  /// Copies what is left of the tail into the block, so that something can follow it.
  private mutating func takeInTail() {
    guard let tail else { return }
    let target = UnsafeMutableRawBufferPointer(start: base.unsafelyUnwrapped + end, count: tailCount)
    tail.bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0.suffix(tailCount))) }
    end &+= tailCount
    releaseTail()
  }

  private mutating func overdraw() {
    isOverdrawn = true
    capacity = end
  }
}
