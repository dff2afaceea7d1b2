import Values

extension ByteLanes {
  /// Sets the high bits of the lanes that JSON strings escape: below 0x20, quote and backslash.
  @inline(__always)
  static func needingEscape(_ word: UInt64) -> UInt64 {
    (belowSpace(word) | zeros(word ^ ones &* 0x22) | zeros(word ^ ones &* 0x5C)) & highBits
  }
}
