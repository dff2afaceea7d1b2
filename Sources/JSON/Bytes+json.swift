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

  /// The first place from `start` on that holds what must be escaped.
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
      append(contentsOf: [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
      append(lowerHexDigits[Int(byte >> 4)])
      append(lowerHexDigits[Int(byte & 15)])
    }
  }

  /// Appends an integer in decimal.
  package mutating func appendDecimal(_ integer: Int64) {
    append(addingCapacity: 20) { output in
      if integer < 0 { output.append(UInt8(ascii: "-")) }
      output.appendDecimal(integer.magnitude)
    }
  }

  /// Appends a number in decimal with the fewest digits that read back as it, or `null` if it is not finite.
  package mutating func appendDecimal(_ number: Double) {
    guard number.isFinite else { return append(contentsOf: "null".utf8) }
    if appendFewDecimals(number) { return }
    append(contentsOf: number.description.utf8)
  }

  /// Appends an integer below 2^53 or a number of at most six decimals and fifteen digits, as most measurements are,
  /// or gives false.
  ///
  /// Decimals of up to fifteen digits are further apart than doubles are, so that one which reads back as the number
  /// is the only one of its length, and the first found is the shortest. The division rounds as the reader does.
  private mutating func appendFewDecimals(_ number: Double) -> Bool {
    let magnitude = number.magnitude
    if number.sign == .minus, magnitude == 0 { return false }
    var (scale, divisor) = (1.0, UInt64(1))
    for decimals in 0...6 {
      let scaled = magnitude * scale
      guard scaled < (decimals == 0 ? 0x1p53 : 1e15) else { return false }
      // To the nearest integer, without a call of the C library; near 2^53 there is no room for a half.
      let digits = UInt64(decimals == 0 ? scaled : scaled + 0.5)
      if Double(digits) / scale == magnitude {
        append(addingCapacity: 24) { output in
          if number < 0 { output.append(UInt8(ascii: "-")) }
          output.appendDecimal(digits / divisor)
          guard decimals > 0 else { return }
          output.append(UInt8(ascii: "."))
          output.appendDecimal(digits % divisor, width: decimals)
        }
        return true
      }
      (scale, divisor) = (scale * 10, divisor * 10)
    }
    return false
  }
}

extension OutputSpan<UInt8> {
  /// Appends a number in decimal.
  @inline(__always)
  mutating func appendDecimal(_ number: UInt64) {
    var width = 1
    var bound: UInt64 = 10
    // The largest number has twenty digits, one more than the largest power of ten.
    while number >= bound, width < 20 {
      width += 1
      bound = bound &* 10
    }
    appendDecimal(number, width: width)
  }

  /// Appends the last digits of a number in decimal, with leading zeros.
  @inline(__always)
  mutating func appendDecimal(_ number: UInt64, width: Int) {
    withUnsafeMutableBufferPointer { buffer, initialized in
      var rest = number
      for position in stride(from: initialized + width - 1, through: initialized, by: -1) {
        buffer.initializeElement(at: position, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
        rest /= 10
      }
      initialized += width
    }
  }
}
