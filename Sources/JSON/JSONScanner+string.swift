import Values

extension JSONScanner {
  /// Reads the string whose opening quote is next, and checks its escapes and its UTF-8.
  mutating func string() throws(JSONError) -> JSONText {
    let start = offset + 1
    var position = start
    var isEscaped = false
    while true {
      position = plainEnd(from: position)
      guard position < bytes.count else { throw JSONError(kind: .unexpectedEnd, offset: bytes.count) }
      switch bytes[position] {
      case UInt8(ascii: "\""):
        offset = position + 1
        let content = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        return JSONText(bytes: content, isEscaped: isEscaped, offset: start - 1)
      case UInt8(ascii: "\\"):
        isEscaped = true
        position = try escapeEnd(from: position)
      case 0x80...:
        position = try sequenceEnd(from: position)
      default:
        throw JSONError(kind: .controlCharacter, offset: position)
      }
    }
  }

  /// The first position from `position` on that does not hold a printable ASCII character other than quote and
  /// backslash.
  private func plainEnd(from position: Int) -> Int {
    var position = position
    while position + 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let special = ByteLanes.needingEscape(word) | word & ByteLanes.highBits
      if special != 0 { return position + special.trailingZeroBitCount / 8 }
      position += 8
    }
    while position < bytes.count {
      let byte = bytes[position]
      if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      position += 1
    }
    return position
  }

  /// The end of the escape whose backslash is at `position` (section 7).
  private func escapeEnd(from position: Int) throws(JSONError) -> Int {
    guard position + 1 < bytes.count else { throw JSONError(kind: .unexpectedEnd, offset: bytes.count) }
    switch bytes[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return position + 2
    case UInt8(ascii: "u"):
      break
    default:
      throw JSONError(kind: .invalidEscape, offset: position)
    }
    let unit = try codeUnit(at: position)
    if !(0xD800...0xDFFF).contains(unit) { return position + 6 }
    guard unit < 0xDC00 else { throw JSONError(kind: .loneSurrogate, offset: position) }
    let low = position + 6
    for (place, byte) in [(low, UInt8(ascii: "\\")), (low + 1, UInt8(ascii: "u"))] {
      guard place < bytes.count else { throw JSONError(kind: .unexpectedEnd, offset: bytes.count) }
      guard bytes[place] == byte else { throw JSONError(kind: .loneSurrogate, offset: position) }
    }
    guard (0xDC00...0xDFFF).contains(try codeUnit(at: low))
    else { throw JSONError(kind: .loneSurrogate, offset: position) }
    return low + 6
  }

  /// The four hexadecimal digits of the `\u` escape at `position`.
  private func codeUnit(at position: Int) throws(JSONError) -> UInt64 {
    var unit: UInt64 = 0
    for place in position + 2..<position + 6 {
      guard place < bytes.count else { throw JSONError(kind: .unexpectedEnd, offset: bytes.count) }
      guard let digit = hexDigit(bytes[place]) else { throw JSONError(kind: .invalidEscape, offset: position) }
      unit = unit << 4 | digit
    }
    return unit
  }

  /// The end of the UTF-8 sequence of two to four bytes that begins at `position` (RFC 3629, section 4).
  private func sequenceEnd(from position: Int) throws(JSONError) -> Int {
    // The second byte's range keeps out overlong forms, surrogates and what is beyond U+10FFFF.
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch bytes[position] {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: throw JSONError(kind: .invalidUTF8, offset: position)
    }
    for place in position + 1..<position + length {
      guard place < bytes.count else { throw JSONError(kind: .unexpectedEnd, offset: bytes.count) }
      let allowed = place == position + 1 ? second : 0x80...0xBF
      guard allowed.contains(bytes[place]) else { throw JSONError(kind: .invalidUTF8, offset: position) }
    }
    return position + length
  }
}
