/// Base64 without padding, read strictly: each value has one text only (RFC 4648, sections 3.5, 4 and 5).
package enum Base64: Sendable {
  /// `+` and `/`, as in password hashes.
  case standard
  /// `-` and `_`, as in tokens and cursors.
  case url

  /// The length of the text of `count` bytes.
  package static func textLength(of count: Int) -> Int { (count * 4 + 2) / 3 }

  /// Appends the text of `bytes`.
  package func encode(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
    let digits = self == .url ? Self.urlDigits : Self.standardDigits
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for index in bytes.indices {
      bits = bits << 8 | UInt32(bytes[index])
      count += 8
      while count >= 6 {
        count -= 6
        text.append(digits[Int(bits >> count & 63)])
      }
    }
    if count > 0 { text.append(digits[Int(bits << (6 - count) & 63)]) }
  }

  /// The text of `bytes`.
  package func encoded(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(Self.textLength(of: bytes.count))
    encode(bytes.span, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// The text of `bytes` with padding, as mail and webhooks want it.
  package func padded(_ bytes: [UInt8]) -> String {
    let text = encoded(bytes)
    return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
  }

  /// The bytes of a text; nil for foreign characters, padding, an impossible length or left-over bits that are not 0.
  package func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    let values = self == .url ? Self.urlValues : Self.standardValues
    var bits: UInt32 = 0
    var count: UInt32 = 0
    var isForeign = false
    let bytes = [UInt8](unsafeUninitializedCapacity: text.count * 3 / 4) { bytes, length in
      for character in text {
        let value = values[Int(character)]
        isForeign = isForeign || value == Self.foreign
        bits = bits << 6 | UInt32(value & 63)
        count += 6
        if count >= 8 {
          count -= 8
          bytes[length] = UInt8(truncatingIfNeeded: bits >> count)
          length += 1
        }
      }
    }
    guard !isForeign, bits & (1 << count - 1) == 0 else { return nil }
    return bytes
  }

  /// The bytes of a text; see `decode(_: UnsafeRawBufferPointer)`.
  package func decode(_ text: some StringProtocol) -> [UInt8]? {
    var text = String(text)
    return text.withUTF8 { decode(UnsafeRawBufferPointer($0)) }
  }

  private static let foreign: UInt8 = 0xFF
  private static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
  private static let urlDigits = Array((letters + "-_").utf8)
  private static let standardDigits = Array((letters + "+/").utf8)
  private static let urlValues = values(of: urlDigits)
  private static let standardValues = values(of: standardDigits)

  private static func values(of digits: [UInt8]) -> [UInt8] {
    var values = [UInt8](repeating: foreign, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }
}
