import Values

extension [UInt8] {
  /// Appends a string in quotes, escaped as JSON must (RFC 8259, section 7).
  mutating func appendQuoted(_ string: String) {
    append(UInt8(ascii: "\""))
    var string = string
    string.withUTF8 { appendEscaped($0) }
    append(UInt8(ascii: "\""))
  }

  private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    while true {
      let end = plainEnd(of: text, from: start)
      append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end]))
      if end == text.count { return }
      appendEscape(of: text[end])
      start = end + 1
    }
  }

  /// The first position from `start` on whose byte must be escaped, or the end of the text.
  private func plainEnd(of text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let raw = UnsafeRawBufferPointer(text)
    var position = start
    while position + 8 <= raw.count {
      let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let special = ByteLanes.needingEscape(word)
      if special != 0 { return position + special.trailingZeroBitCount / 8 }
      position += 8
    }
    while position < raw.count, case let byte = raw[position], byte >= 0x20, byte != 0x22, byte != 0x5C {
      position += 1
    }
    return position
  }

  private mutating func appendEscape(of byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
    case UInt8(ascii: "\n"): append(UInt8(ascii: "n"))
    case UInt8(ascii: "\r"): append(UInt8(ascii: "r"))
    case UInt8(ascii: "\t"): append(UInt8(ascii: "t"))
    default:
      append(upTo: 5) { output in
        output.append("u")
        output.appendHex(UInt32(byte), digits: 4)
      }
    }
  }
}
