import Glibc
import Values

/// Bytes of answers that wait to be sent, in a block that is held only while there are any.
///
/// Its growth is bounded by who appends: a connection begins no further answer, and a stream writes no further piece,
/// while more than `HTTPLimits.outputBytes` wait.
struct OutputBuffer {
  private let pool: BlockPool
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0
  private var start = 0
  private var end = 0
  /// All bytes that were ever taken out.
  private var taken = 0

  init(_ pool: BlockPool) { self.pool = pool }

  var isEmpty: Bool { start == end }
  var count: Int { end &- start }
  /// All bytes that were ever appended.
  var total: Int { taken &+ count }
  /// The first of `count` bytes to be sent.
  var pointer: UnsafeRawPointer { UnsafeRawPointer(base.unsafelyUnwrapped + start) }

  /// Notes that bytes were sent.
  mutating func consume(_ count: Int) {
    start &+= count
    taken &+= count
  }

  /// Gives the block back, with what is in it.
  mutating func release() {
    guard let block = base else { return }
    if capacity == pool.blockBytes { pool.give(block) } else { free(block) }
    taken &+= count
    base = nil
    capacity = 0
    start = 0
    end = 0
  }

  /// Makes sure that the next `count` bytes can be appended without growing.
  @inline(__always)
  mutating func reserve(_ count: Int) {
    if count > capacity &- end { makeRoom(count) }
  }

  @inline(__always)
  mutating func append(_ source: UnsafeRawPointer, _ count: Int) {
    reserve(count)
    memcpy(base.unsafelyUnwrapped + end, source, count)
    end &+= count
  }

  @inline(__always)
  mutating func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if let source = bytes.baseAddress, bytes.count > 0 { append(source, bytes.count) }
  }

  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Appends a number that is not negative in decimal.
  mutating func append(decimal number: Int) {
    reserve(DecimalText.integerBytes)
    end &+= (base.unsafelyUnwrapped + end).storeDecimal(UInt64(number))
  }

  /// Appends a number below 2^32 in lower-case hexadecimal.
  mutating func append(hexadecimal number: Int) {
    let digits = lowerHex(UInt32(number))
    // Zeros in front are left out, but for the last digit.
    let zeros = min((digits ^ 0x3030_3030_3030_3030).trailingZeroBitCount / 8, 7)
    reserve(8)
    (base.unsafelyUnwrapped + end).storeBytes(of: (digits >> UInt64(zeros * 8)).littleEndian, as: UInt64.self)
    end &+= 8 &- zeros
  }

  /// Appends the value of a field: a control character in it becomes a space, so that no value can end its line.
  mutating func append(fieldValue bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 0 else { return }
    append(bytes)
    let written = base.unsafelyUnwrapped + (end &- bytes.count)
    var position = RawSpan(_unsafeStart: written, byteCount: bytes.count).firstControl(from: 0)
    while position < bytes.count {
      written.storeBytes(of: ASCII.space, toByteOffset: position, as: UInt8.self)
      position = RawSpan(_unsafeStart: written, byteCount: bytes.count).firstControl(from: position &+ 1)
    }
  }

  /// Makes room for `count` further bytes: a block from the pool, or a larger one of its own.
  @inline(never)
  private mutating func makeRoom(_ count: Int) {
    if base == nil {
      base = pool.take()
      capacity = pool.blockBytes
    }
    if start > 0 {
      memmove(base.unsafelyUnwrapped, base.unsafelyUnwrapped + start, self.count)
      end &-= start
      start = 0
    }
    guard count > capacity - end else { return }
    let larger = max(capacity * 2, end + count)
    let block = malloc(larger)!
    memcpy(block, base.unsafelyUnwrapped, end)
    if capacity == pool.blockBytes { pool.give(base.unsafelyUnwrapped) } else { free(base) }
    base = block
    capacity = larger
  }
}
