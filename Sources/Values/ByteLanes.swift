/// Looks at eight bytes at once, each in its lane of a little-endian word (Anderson, "Bit Twiddling Hacks").
///
/// A result has the high bit set in the lanes that were looked for, and anything in the other bits. The lowest of these
/// lanes is exact; lanes above it may be set by a borrow.
@usableFromInline package enum ByteLanes {
  @inlinable package static var ones: UInt64 { 0x0101_0101_0101_0101 }
  @inlinable package static var highBits: UInt64 { 0x8080_8080_8080_8080 }

  /// Bytes that are zero.
  @inlinable @inline(__always)
  package static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }

  /// Bytes below 0x20.
  @inlinable @inline(__always)
  package static func belowSpace(_ word: UInt64) -> UInt64 { (word &- ones &* 0x20) & ~word }
}
