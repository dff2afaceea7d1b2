import Glibc
import Values

/// A string as it stands in the scanned text, between its quotes, already checked.
///
/// It refers to the scanned bytes and is valid as long as they are.
package struct JSONText {
  /// The bytes between the quotes: valid UTF-8, with escapes not yet decoded.
  package let bytes: UnsafeRawBufferPointer
  /// Whether `bytes` hold escapes; without, they are the string itself.
  package let isEscaped: Bool
  /// Where the opening quote stands in the scanned text.
  package let offset: Int

  /// The string with its escapes decoded.
  package var string: String {
    guard isEscaped else { return String(decoding: bytes, as: UTF8.self) }
    // Every escape is longer than the UTF-8 that it stands for.
    return String(unsafeUninitializedCapacity: bytes.count) { buffer in decode(into: buffer) }
  }

  /// Lets `switch` compare a text with names: `case "value":`. An escaped text equals what it decodes to.
  package static func ~= (name: StaticString, text: JSONText) -> Bool {
    if text.isEscaped { return text.string.utf8.elementsEqual(name.description.utf8) }
    guard text.bytes.count == name.utf8CodeUnitCount else { return false }
    guard let start = text.bytes.baseAddress else { return true }
    return memcmp(start, name.utf8Start, text.bytes.count) == 0
  }

  private func decode(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    var count = 0
    var position = 0
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "\\") else {
        buffer[count] = bytes[position]
        count += 1
        position += 1
        continue
      }
      let (scalar, length) = escape(at: position)
      for byte in UTF8.encode(scalar) ?? .init() {
        buffer[count] = byte
        count += 1
      }
      position += length
    }
    return count
  }

  /// The character that the escape at `position` stands for, and the escape's length.
  private func escape(at position: Int) -> (scalar: Unicode.Scalar, length: Int) {
    switch bytes[position + 1] {
    case UInt8(ascii: "b"): return ("\u{8}", 2)
    case UInt8(ascii: "f"): return ("\u{C}", 2)
    case UInt8(ascii: "n"): return ("\n", 2)
    case UInt8(ascii: "r"): return ("\r", 2)
    case UInt8(ascii: "t"): return ("\t", 2)
    case UInt8(ascii: "u"): break
    default: return (Unicode.Scalar(bytes[position + 1]), 2)
    }
    let unit = codeUnit(at: position)
    if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
    // The scanner let only pairs pass.
    let low = codeUnit(at: position + 6)
    return (Unicode.Scalar(0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}", 12)
  }

  private func codeUnit(at position: Int) -> UInt32 {
    bytes[position + 2..<position + 6].reduce(0) { unit, byte in unit << 4 | UInt32(hexDigit(byte) ?? 0) }
  }
}
