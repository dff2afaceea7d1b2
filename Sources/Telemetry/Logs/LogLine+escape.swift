import Values

extension LogLine {
  /// Appends text as the inside of a JSON string, cut after `maximumValueBytes`.
  ///
  /// Quotes, backslashes and all control characters (C0, DEL and C1, which terminals obey) are escaped; what is not
  /// well-formed UTF-8 (RFC 3629) becomes U+FFFD, one for each byte that fits nowhere.
  static func appendEscaped(_ text: UnsafeRawBufferPointer, to bytes: inout ByteCursor) {
    let end = cut(text)
    var position = 0
    while position < end {
      if position + 8 <= end {
        let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        if isPlain(word) {
          bytes.append(eight: word)
          position += 8
          continue
        }
      }
      position += appendScalar(text, at: position, to: &bytes)
    }
    if end < text.count { bytes.append("…") }
  }

  /// Whether eight bytes are all printable ASCII other than the quote and the backslash.
  ///
  /// Finds each as `ByteLanes` does, but tests for bytes beyond ASCII only once, for all.
  @inline(__always)
  private static func isPlain(_ word: UInt64) -> Bool {
    let ones = ByteLanes.ones
    let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
    let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
    let delete = word ^ (ones &* 0x7F)
    let controls = word &- ones &* 0x20
    let special = controls | (quote &- ones) | (backslash &- ones) | (delete &- ones)
    return (special | word) & ByteLanes.highBits == 0
  }

  /// Appends the scalar at `position`, or what stands for it; returns how many bytes of the text it was.
  private static func appendScalar(_ text: UnsafeRawBufferPointer, at position: Int, to bytes: inout ByteCursor) -> Int
  {
    let byte = text[position]
    if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      bytes.append(byte)
      return 1
    }
    let length = byte < 0x80 ? 0 : scalarLength(text, at: position)
    guard length > 0 else { return appendEscape(text, at: position, to: &bytes) }
    bytes.append(UnsafeRawBufferPointer(rebasing: text[position..<position + length]))
    return length
  }

  /// Where to cut a text that is too long: before the scalar that would cross the bound.
  private static func cut(_ text: UnsafeRawBufferPointer) -> Int {
    guard text.count > maximumValueBytes else { return text.count }
    var end = maximumValueBytes
    while end > maximumValueBytes - 4, text[end] & 0xC0 == 0x80 { end -= 1 }
    return end
  }

  /// Appends what stands for the byte, or for the C1 control of two bytes; returns how many bytes it was.
  private static func appendEscape(_ text: UnsafeRawBufferPointer, at position: Int, to bytes: inout ByteCursor) -> Int
  {
    let byte = text[position]
    switch byte {
    case UInt8(ascii: "\""): bytes.append(#"\""#)
    case UInt8(ascii: "\\"): bytes.append(#"\\"#)
    case UInt8(ascii: "\n"): bytes.append(#"\n"#)
    case UInt8(ascii: "\r"): bytes.append(#"\r"#)
    case UInt8(ascii: "\t"): bytes.append(#"\t"#)
    case 0..<0x80: appendHexEscape(byte, to: &bytes)
    case 0xC2 where position + 1 < text.count && text[position + 1] & 0xE0 == 0x80:
      appendHexEscape(text[position + 1], to: &bytes)
      return 2
    default: bytes.append("\u{FFFD}")
    }
    return 1
  }

  private static func appendHexEscape(_ byte: UInt8, to bytes: inout ByteCursor) {
    bytes.append(#"\u00"#)
    bytes.appendHex(UInt32(byte), digits: 2)
  }

  /// The length of the well-formed scalar of several bytes at `position`; 0 if it is ill-formed or a C1 control
  /// (the table of RFC 3629, section 4).
  private static func scalarLength(_ text: UnsafeRawBufferPointer, at position: Int) -> Int {
    func byte(_ offset: Int) -> UInt8 { position + offset < text.count ? text[position + offset] : 0 }
    func continues(_ offset: Int) -> Bool { byte(offset) & 0xC0 == 0x80 }
    switch (byte(0), byte(1)) {
    case (0xC2, 0xA0...0xBF), (0xC3...0xDF, 0x80...0xBF): return 2
    case (0xE0, 0xA0...0xBF), (0xE1...0xEC, 0x80...0xBF), (0xED, 0x80...0x9F), (0xEE...0xEF, 0x80...0xBF):
      return continues(2) ? 3 : 0
    case (0xF0, 0x90...0xBF), (0xF1...0xF3, 0x80...0xBF), (0xF4, 0x80...0x8F):
      return continues(2) && continues(3) ? 4 : 0
    default: return 0
    }
  }
}
