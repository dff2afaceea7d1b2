/// Base64 without padding, read strictly: each value has one text only (RFC 4648, sections 3.5, 4 and 5).
package enum Base64: Sendable {
  /// `+` and `/`, as in password hashes.
  case standard
  /// `-` and `_`, as in tokens and cursors.
  case url

  /// The length of the text of that many bytes.
  package static func textLength(of count: Int) -> Int { (count * 4 + 2) / 3 }

  /// Appends the text of `bytes`.
  package func encode(_ bytes: some Collection<UInt8>, to text: inout [UInt8]) {
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(digit(bits >> count & 63))
      }
    }
    if count > 0 { text.append(digit(bits << (6 - count) & 63)) }
  }

  /// The text of `bytes`.
  package func encoded(_ bytes: some Collection<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(Self.textLength(of: bytes.count))
    encode(bytes, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of a text; nil for foreign characters, padding, an impossible length or left-over bits that are not 0.
  package func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for character in text {
      guard let value = value(of: character) else { return nil }
      bits = bits << 6 | value
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> count))
      }
    }
    guard bits & (1 << count - 1) == 0 else { return nil }
    return bytes
  }

  private func digit(_ value: UInt32) -> UInt8 {
    switch UInt8(value) {
    case let value where value < 26: UInt8(ascii: "A") + value
    case let value where value < 52: UInt8(ascii: "a") + value - 26
    case let value where value < 62: UInt8(ascii: "0") + value - 52
    case 62: self == .url ? UInt8(ascii: "-") : UInt8(ascii: "+")
    default: self == .url ? UInt8(ascii: "_") : UInt8(ascii: "/")
    }
  }

  private func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "-") where self == .url, UInt8(ascii: "+") where self == .standard: 62
    case UInt8(ascii: "_") where self == .url, UInt8(ascii: "/") where self == .standard: 63
    default: nil
    }
  }
}
