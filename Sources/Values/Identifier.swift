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
    guard text.count == Self.textLength else { return nil }
    var halves: (UInt64, UInt64) = (0, 0)
    var digits = 0
    for (position, byte) in text.enumerated() {
      if position == 8 || position == 13 || position == 18 || position == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = hexDigit(byte) else { return nil }
      if digits < 16 { halves.0 = halves.0 << 4 | digit } else { halves.1 = halves.1 << 4 | digit }
      digits += 1
    }
    self.init(high: halves.0, low: halves.1)
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
    appendHex(UInt32(truncatingIfNeeded: identifier.high >> 32))
    append(UInt8(ascii: "-"))
    appendHex(UInt32(truncatingIfNeeded: identifier.high >> 16), digits: 4)
    append(UInt8(ascii: "-"))
    appendHex(UInt32(truncatingIfNeeded: identifier.high), digits: 4)
    append(UInt8(ascii: "-"))
    appendHex(UInt32(truncatingIfNeeded: identifier.low >> 48), digits: 4)
    append(UInt8(ascii: "-"))
    appendHex(UInt32(truncatingIfNeeded: identifier.low >> 32), digits: 4)
    appendHex(UInt32(truncatingIfNeeded: identifier.low))
  }
}
