import Glibc

/// A UUID as 16 bytes in network order: the id of everything that Terroir stores (RFC 9562).
package struct Identifier: Hashable, Sendable, Comparable {
  /// Bytes 0–7, the first of them most significant.
  package let high: UInt64
  /// Bytes 8–15, the first of them most significant.
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Makes a version 7 UUID: 48 bits of Unix milliseconds, 74 random bits (RFC 9562, section 5.7).
  package static func make(unixMilliseconds: Int64) -> Identifier {
    make(tick: UInt64(bitPattern: unixMilliseconds) << countBits | .random(in: 0..<1 << countBits))
  }

  /// Returns an id that is not above any version 7 UUID of `moment` or later.
  package static func lowest(at moment: Timestamp) -> Identifier {
    Identifier(high: UInt64(max(0, moment.unixMilliseconds)) << 16, low: 0)
  }

  /// The number of bits of a tick below its milliseconds.
  static let countBits = 12

  /// Makes a version 7 UUID whose first 60 bits, but for the version, are those of `tick`.
  static func make(tick: UInt64) -> Identifier {
    Identifier(
      high: (tick >> countBits) << 16 | 0x7000 | tick & (1 << countBits - 1),
      low: 0x8000_0000_0000_0000 | .random(in: 0..<1 << 62))
  }

  package static func < (left: Identifier, right: Identifier) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  // MARK: Text

  /// The length of the text form in bytes.
  package static let textLength = 36

  /// Reads the 36-character form with hyphens, in either case; nil for anything else.
  package init?(_ text: UnsafeRawBufferPointer) {
    let hyphen = UInt8(ascii: "-")
    guard text.count == Self.textLength, text[8] == hyphen, text[13] == hyphen, text[18] == hyphen, text[23] == hyphen
    else { return nil }
    func number(_ first: Int, _ second: Int) -> UInt64? {
      func four(_ place: Int) -> UInt64 {
        UInt64(UInt32(littleEndian: text.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
      }
      return hexNumber(four(first) | four(second) << 32)
    }
    guard let first = number(0, 4), let second = number(9, 14), let third = number(19, 24), let last = number(28, 32)
    else { return nil }
    self.init(high: first << 32 | second, low: third << 32 | last)
  }

  /// Reads the 36-character form with hyphens, in either case; nil for anything else.
  package init?(_ text: some StringProtocol) {
    var text = String(text)
    guard let identifier = text.withUTF8({ Identifier(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = identifier
  }

  /// Appends the lower-case text form, 36 bytes.
  package func appendText(to bytes: inout [UInt8]) {
    bytes.append(upTo: Self.textLength) { $0.append(self) }
  }
}

extension Identifier: CustomStringConvertible {
  /// The lower-case text form.
  package var description: String { String(upTo: Self.textLength) { $0.append(self) } }
}

extension ByteCursor {
  /// Appends the lower-case text form of an id, 36 bytes.
  package mutating func append(_ identifier: Identifier) {
    let text = advance(Identifier.textLength)
    func store(_ digits: UInt64, at place: Int) {
      text.storeBytes(of: digits.littleEndian, toByteOffset: place, as: UInt64.self)
    }
    func storeFours(_ digits: UInt64, at first: Int, _ second: Int) {
      text.storeBytes(of: UInt32(truncatingIfNeeded: digits).littleEndian, toByteOffset: first, as: UInt32.self)
      text.storeBytes(of: UInt32(truncatingIfNeeded: digits >> 32).littleEndian, toByteOffset: second, as: UInt32.self)
    }
    store(lowerHex(UInt32(truncatingIfNeeded: identifier.high >> 32)), at: 0)
    storeFours(lowerHex(UInt32(truncatingIfNeeded: identifier.high)), at: 9, 14)
    storeFours(lowerHex(UInt32(truncatingIfNeeded: identifier.low >> 32)), at: 19, 24)
    store(lowerHex(UInt32(truncatingIfNeeded: identifier.low)), at: 28)
    for place in [8, 13, 18, 23] { text.storeBytes(of: UInt8(ascii: "-"), toByteOffset: place, as: UInt8.self) }
  }
}
