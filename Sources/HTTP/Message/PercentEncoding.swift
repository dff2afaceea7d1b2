import Values

/// Percent-encoding (RFC 3986, section 2.1).
enum PercentEncoding {
  /// Decodes to text; nil if an escape is malformed or the result is not UTF-8 or holds U+0000.
  ///
  /// With `plusIsSpace` it decodes the form encoding of queries.
  static func decode(_ bytes: RawSpan, plusIsSpace: Bool = false) -> String? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.byteCount)
    var position = 0
    while position < bytes.byteCount {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "%"):
        guard position + 2 <= bytes.byteCount, let high = hexDigit(bytes[position]),
          let low = hexDigit(bytes[position + 1]), high | low != 0
        else { return nil }
        decoded.append(UInt8(high << 4 | low))
        position += 2
      case UInt8(ascii: "+") where plusIsSpace: decoded.append(ASCII.space)
      default: decoded.append(byte)
      }
    }
    return String(validating: decoded, as: UTF8.self)
  }

  /// Whether every percent sign is followed by two hexadecimal digits, decoding leaves UTF-8, and no byte is zero.
  static func isWellFormed(_ bytes: RawSpan) -> Bool { decode(bytes) != nil }
}
