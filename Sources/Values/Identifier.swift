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
  package static func make<Generator: RandomNumberGenerator>(
    unixMilliseconds: Int64, using generator: inout Generator
  ) -> Identifier {
    let random = generator.next()
    let time = UInt64(bitPattern: unixMilliseconds) << 16
    return Identifier(
      high: time | 0x7000 | (random & 0x0FFF),
      low: 0x8000_0000_0000_0000 | (generator.next() >> 2))
  }

  /// Makes a version 7 UUID from the system's random numbers.
  package static func make(unixMilliseconds: Int64) -> Identifier {
    var generator = SystemRandomNumberGenerator()
    return make(unixMilliseconds: unixMilliseconds, using: &generator)
  }

  package static func < (left: Identifier, right: Identifier) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  // MARK: Text

  /// The length of the text form in bytes.
  package static let textLength = 36

  /// Reads the 36-character form with hyphens, in either case; anything else gives nil.
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

  /// Reads the 36-character form with hyphens, in either case; anything else gives nil.
  package init?(_ text: some StringProtocol) {
    var text = String(text)
    guard let identifier = text.withUTF8({ Identifier(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = identifier
  }

  /// Appends the lower-case text form, 36 bytes.
  package func appendText(to bytes: inout [UInt8]) {
    withText { bytes.append(contentsOf: $0) }
  }

  /// Calls `body` with the 36 bytes of the lower-case text form.
  private func withText<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.textLength) { text in
      let raw = UnsafeMutableRawPointer(text.baseAddress!)
      let (first, second) = (
        lowerHex(UInt32(truncatingIfNeeded: high >> 32)), lowerHex(UInt32(truncatingIfNeeded: high))
      )
      let (third, fourth) = (lowerHex(UInt32(truncatingIfNeeded: low >> 32)), lowerHex(UInt32(truncatingIfNeeded: low)))
      raw.storeBytes(of: first, as: UInt64.self)
      raw.storeBytes(of: UInt32(truncatingIfNeeded: second), toByteOffset: 9, as: UInt32.self)
      raw.storeBytes(of: UInt32(truncatingIfNeeded: second >> 32), toByteOffset: 14, as: UInt32.self)
      raw.storeBytes(of: UInt32(truncatingIfNeeded: third), toByteOffset: 19, as: UInt32.self)
      raw.storeBytes(of: UInt32(truncatingIfNeeded: third >> 32), toByteOffset: 24, as: UInt32.self)
      raw.storeBytes(of: fourth, toByteOffset: 28, as: UInt64.self)
      for hyphen in [8, 13, 18, 23] { text[hyphen] = UInt8(ascii: "-") }
      return body(UnsafeBufferPointer(text))
    }
  }
}

extension Identifier: CustomStringConvertible {
  /// The lower-case text form.
  package var description: String {
    withText { String(decoding: $0, as: UTF8.self) }
  }
}

/// The digits of lower-case hexadecimal, as ASCII.
package let lowerHexDigits: [UInt8] = Array("0123456789abcdef".utf8)

/// The eight lower-case hexadecimal digits of a number as ASCII, the first of them least significant.
///
/// All at a time: each four bits get a byte of their own, and to those above 9 the way from the digits to the letters
/// is added.
package func lowerHex(_ number: UInt32) -> UInt64 {
  var bytes = UInt64(number.byteSwapped)
  bytes = (bytes | bytes << 16) & 0x0000_FFFF_0000_FFFF
  bytes = (bytes | bytes << 8) & 0x00FF_00FF_00FF_00FF
  // Of each byte of the number, the upper half first.
  bytes = (bytes >> 4 | bytes << 8) & 0x0F0F_0F0F_0F0F_0F0F
  let isLetter = ((bytes &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
  return bytes &+ 0x3030_3030_3030_3030 &+ isLetter &* 39
}

/// The value of a hexadecimal digit in either case, or nil.
package func hexDigit(_ byte: UInt8) -> UInt64? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
  default: nil
  }
}
