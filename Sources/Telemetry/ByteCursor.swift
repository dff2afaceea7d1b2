import Glibc

/// Writes bytes one after another into memory that somebody else owns: an array's appends cost several times as much.
///
/// The memory must outlive the cursor. Writing beyond its end traps; who writes text from outside bounds it first.
struct ByteCursor {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  private(set) var count = 0

  init(_ memory: UnsafeMutableRawBufferPointer) {
    base = memory.baseAddress!
    capacity = memory.count
  }

  /// What has been written.
  var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// Makes sure of room for that many bytes and gives the place where they begin.
  @inline(__always)
  private mutating func advance(_ length: Int) -> UnsafeMutableRawPointer {
    precondition(length <= capacity - count, "a line outgrew its memory")
    defer { count += length }
    return base + count
  }

  @inline(__always)
  mutating func append(_ byte: UInt8) { advance(1).storeBytes(of: byte, as: UInt8.self) }

  @inline(__always)
  mutating func append(_ text: StaticString) {
    memcpy(advance(text.utf8CodeUnitCount), text.utf8Start, text.utf8CodeUnitCount)
  }

  @inline(__always)
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    memcpy(advance(bytes.count), source, bytes.count)
  }

  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Appends eight bytes, the first of them lowest.
  @inline(__always)
  mutating func append(eight word: UInt64) { advance(8).storeBytes(of: word.littleEndian, as: UInt64.self) }

  /// Appends a number in decimal, with zeros in front if it has fewer digits than `width`.
  mutating func appendDecimal(_ number: UInt64, width: Int = 1) {
    var digits = 1
    var rest = number / 10
    while rest > 0 {
      digits += 1
      rest /= 10
    }
    digits = max(digits, width)
    let start = advance(digits)
    rest = number
    for place in (0..<digits).reversed() {
      start.storeBytes(
        of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: place, as: UInt8.self)
      rest /= 10
    }
  }

  /// Appends the last `digits` hexadecimal digits of a number in lower case.
  mutating func appendHex(_ number: UInt64, digits: Int) {
    let start = advance(digits)
    var rest = number
    for place in (0..<digits).reversed() {
      let digit = UInt8(truncatingIfNeeded: rest & 15)
      let character = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
      start.storeBytes(of: character, toByteOffset: place, as: UInt8.self)
      rest >>= 4
    }
  }
}
