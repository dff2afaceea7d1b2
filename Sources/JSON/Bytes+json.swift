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
    if integer < 0 { append(UInt8(ascii: "-")) }
    appendDecimal(integer.magnitude, minimumDigits: 1)
  }

  /// Appends a non-negative integer in decimal, with leading zeros up to a width of at most 20.
  private mutating func appendDecimal(_ magnitude: UInt64, minimumDigits: Int) {
    var count = 1
    var rest = magnitude
    while rest >= 10 {
      rest /= 10
      count += 1
    }
    count = Swift.max(count, minimumDigits)
    append(addingCapacity: count) { output in
      output.withUnsafeMutableBufferPointer { buffer, initialized in
        var rest = magnitude
        for position in stride(from: count - 1, through: 0, by: -1) {
          buffer.initializeElement(at: position, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
          rest /= 10
        }
        initialized = count
      }
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
    var scale = 1.0
    for decimals in 0...6 {
      let scaled = (magnitude * scale).rounded()
      guard scaled < (decimals == 0 ? 0x1p53 : 1e15) else { return false }
      if scaled / scale == magnitude {
        if number < 0 { append(UInt8(ascii: "-")) }
        let whole = UInt64(scaled)
        let divisor = UInt64(scale)
        appendDecimal(whole / divisor, minimumDigits: 1)
        if decimals > 0 {
          append(UInt8(ascii: "."))
          appendDecimal(whole % divisor, minimumDigits: decimals)
        }
        return true
      }
      scale *= 10
    }
    return false
  }
}
