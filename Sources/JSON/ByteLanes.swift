/// Looks at eight bytes at once, each in its lane of a little-endian word.
///
/// In a result, the lowest lane whose high bit is set is exact; lanes above it may be set by a borrow.
enum ByteLanes {
  static let ones: UInt64 = 0x0101_0101_0101_0101
  static let highBits: UInt64 = 0x8080_8080_8080_8080

  /// Sets the high bits of the lanes that JSON strings escape: below 0x20, quote and backslash.
  @inline(__always)
  static func needingEscape(_ word: UInt64) -> UInt64 {
    let controls = (word &- ones &* 0x20) & ~word
    return (controls | zeros(word ^ ones &* 0x22) | zeros(word ^ ones &* 0x5C)) & highBits
  }

  @inline(__always)
  private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }
}
