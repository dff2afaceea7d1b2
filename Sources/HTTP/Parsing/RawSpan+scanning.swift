import Glibc
import Values

extension RawSpan {
  /// The byte at `offset`.
  @inline(__always)
  subscript(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

  /// Eight bytes from `offset` on, the first of them least significant.
  @inline(__always)
  func word(at offset: Int) -> UInt64 {
    UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// Whether both spans hold the same bytes.
  @inline(__always)
  package func hasSameBytes(as other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return withUnsafeBytes { left in
      other.withUnsafeBytes { right in left.isEmpty || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0 }
    }
  }

  /// Whether the span is exactly `text`, which must be ASCII.
  func equals(_ text: StaticString) -> Bool { byteCount == text.utf8CodeUnitCount && matches(text, at: 0) }

  /// Whether `text`, which must be ASCII, is at `start`; the span must reach as far.
  func matches(_ text: StaticString, at start: Int) -> Bool {
    for offset in 0..<text.utf8CodeUnitCount where self[start + offset] != text.utf8Start[offset] { return false }
    return true
  }

  /// The next member of a comma-separated list at or after `position` that is not empty, without the white space
  /// around it; `position` moves behind it (RFC 9110, section 5.6.1).
  func nextListMember(_ position: inout Int) -> Range<Int>? {
    while position < byteCount {
      var start = position
      while position < byteCount, self[position] != UInt8(ascii: ",") { position += 1 }
      var end = position
      position += 1
      while start < end, self[start] == ASCII.space || self[start] == ASCII.tab { start += 1 }
      while end > start, self[end - 1] == ASCII.space || self[end - 1] == ASCII.tab { end -= 1 }
      if start < end { return start..<end }
    }
    return nil
  }

  /// Whether the span is `text`, which must be ASCII, in either case.
  @inline(__always)
  func equalsIgnoringCase(_ text: StaticString) -> Bool {
    guard byteCount == text.utf8CodeUnitCount else { return false }
    return matchesIgnoringCase(text, at: 0)
  }

  /// Whether `text`, which must be ASCII, is at `start` in either case; the span must reach as far.
  @inline(__always)
  func matchesIgnoringCase(_ text: StaticString, at start: Int) -> Bool {
    let expected = text.utf8Start
    let count = text.utf8CodeUnitCount
    precondition(start >= 0 && start + count <= byteCount)
    for offset in 0..<count {
      let byte = unsafeLoad(fromUncheckedByteOffset: start &+ offset, as: UInt8.self)
      let difference = byte ^ expected[offset]
      if difference == 0 { continue }
      guard difference == 0x20, expected[offset].isASCIILetter else { return false }
    }
    return true
  }

  /// The first offset from `start` on whose byte is in the class (is not, if `isIn` is false), or the end.
  @inline(__always)
  func first(_ characterClass: ASCII.Class, isIn: Bool, from start: Int) -> Int {
    precondition(start >= 0)
    // Unchecked: the loops' conditions keep the offset within bounds, and a second check would cost as much as the
    // look-up.
    var offset = start
    while true {
      while offset &+ 8 <= byteCount {
        let word = UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
        let suspects = ByteLanes.suspects(word, characterClass, isIn: isIn)
        offset &+= suspects == 0 ? 8 : suspects.trailingZeroBitCount / 8
        if suspects != 0 { break }
      }
      guard offset < byteCount else { return offset }
      let byte = unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      if ASCII.isIn(characterClass, byte) == isIn { return offset }
      offset &+= 1
    }
  }

  /// The first offset of `byte` from `start` on, or the end.
  @inline(__always)
  func first(_ byte: UInt8, from start: Int) -> Int {
    precondition(start >= 0)
    var offset = start
    while offset &+ 8 <= byteCount {
      let word = UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
      let found = ByteLanes.zeros(word ^ ByteLanes.ones &* UInt64(byte)) & ByteLanes.highBits
      if found != 0 { return offset &+ found.trailingZeroBitCount / 8 }
      offset &+= 8
    }
    while offset < byteCount, self[offset] != byte { offset &+= 1 }
    return offset
  }

  /// The first offset from `start` on whose byte is a control character (below 0x20, or DEL), or the end.
  @inline(__always)
  func firstControl(from start: Int) -> Int {
    precondition(start >= 0)
    var offset = start
    while offset &+ 8 <= byteCount {
      let word = UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
      let controls = ByteLanes.controls(word)
      if controls != 0 { return offset &+ controls.trailingZeroBitCount / 8 }
      offset &+= 8
    }
    while offset < byteCount, !ASCII.isControl(self[offset]) { offset &+= 1 }
    return offset
  }
}
