import Values

extension ByteLanes {
  /// Control characters: below 0x20, and DEL.
  @inline(__always)
  static func controls(_ word: UInt64) -> UInt64 {
    (belowSpace(word) | zeros(word ^ ones &* 0x7F)) & highBits
  }

  /// Bytes to look up in the table of classes: all that are in the class (that are not, if `isIn` is false), and a few
  /// rare others.
  @inline(__always)
  static func suspects(_ word: UInt64, _ characterClass: ASCII.Class, isIn: Bool) -> UInt64 {
    switch (characterClass, isIn) {
    case (.token, false): return ~(letters(word) | within(word, 0x2D...0x2D)) & highBits
    case (.host, false):
      // The hyphen and the dot are neighbours.
      return ~(letters(word) | within(word, 0x30...0x39) | within(word, 0x2D...0x2E)) & highBits
    case (.targetSpecial, true):
      let marks = zeros(word ^ ones &* 0x3F) | zeros(word ^ ones &* 0x23) | zeros(word ^ ones &* 0x25)
      let outside = ((word &- ones &* 0x21) & ~word) | word | (word &+ ones)
      return (outside | marks) & highBits
    default: return highBits
    }
  }

  /// Letters in either case; exact in every lane.
  @inline(__always)
  private static func letters(_ word: UInt64) -> UInt64 { within(word | ones &* 0x20, 0x61...0x7A) }

  /// ASCII characters within `range`; exact in every lane.
  @inline(__always)
  private static func within(_ word: UInt64, _ range: ClosedRange<UInt64>) -> UInt64 {
    let low = word & ~highBits
    return (low &+ ones &* (0x80 - range.lowerBound)) & ~(low &+ ones &* (0x7F - range.upperBound)) & ~word & highBits
  }
}
