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

  /// Appends the last `digits` hexadecimal digits of a number in lower case, at most 8.
  @inline(__always)
  mutating func appendHex(_ number: UInt32, digits: Int = 8) {
    // The last digit stands lowest; in memory the first one comes first.
    var text = Self.hexDigits(number).byteSwapped >> UInt64((8 - digits) * 8)
    memcpy(advance(digits), &text, digits)
  }

  /// The eight digits of a number, the last of them in the lowest byte: all at once, by arithmetic on eight bytes.
  @inline(__always)
  private static func hexDigits(_ number: UInt32) -> UInt64 {
    var nibbles = UInt64(number)
    nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF
    nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
    nibbles = (nibbles | nibbles << 4) & 0x0F0F_0F0F_0F0F_0F0F
    // 10 and more carry into the fifth bit when 6 is added: those are letters, 39 places after the digits.
    let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39
  }
}
