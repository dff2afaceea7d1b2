extension [UInt8] {
  /// Writes a number in decimal digits.
  mutating func append(digits value: UInt64) {
    if value < 10 { return append(UInt8(ascii: "0") + UInt8(value)) }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var rest = value
      var start = 20
      while rest > 0 {
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
        start -= 1
        digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
        rest = quotient
      }
      append(contentsOf: UnsafeBufferPointer(rebasing: digits[start..<20]))
    }
  }

  /// Writes a sample's value: whole numbers without a fraction, others so that they read back exactly.
  mutating func append(number value: Double) {
    if value.isFinite, value.magnitude < 0x1p53, value == value.rounded(.towardZero) {
      if value < 0 { append(UInt8(ascii: "-")) }
      return append(digits: UInt64(value.magnitude))
    }
    append(bound: value)
  }

  /// Writes a number as a value of `le`: always with a fraction or exponent, and alike in both formats, so that a
  /// series keeps its name.
  mutating func append(bound value: Double) {
    if value.isNaN {
      append(contentsOf: "NaN".utf8)
    } else if value.isInfinite {
      append(contentsOf: (value < 0 ? "-Inf" : "+Inf").utf8)
    } else {
      append(contentsOf: value.description.utf8)
    }
  }

  /// Writes a label's value between its quotes: backslash, quote and line feed are escaped, in both formats.
  mutating func append(labelValue: String) { append(escaping: labelValue, quotes: true) }

  /// Writes the text of a HELP line. Text format 0.0.4 escapes backslash and line feed, OpenMetrics also the quote.
  mutating func append(help: String, _ format: ExpositionFormat) {
    append(escaping: help, quotes: format == .openMetrics)
  }

  private mutating func append(escaping text: String, quotes: Bool) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): append(contentsOf: "\\\\".utf8)
      case UInt8(ascii: "\n"): append(contentsOf: "\\n".utf8)
      case UInt8(ascii: "\"") where quotes: append(contentsOf: "\\\"".utf8)
      default: append(byte)
      }
    }
  }

  /// Writes a number as sixteen hexadecimal digits.
  mutating func append(hexadecimal value: UInt64) {
    for shift in stride(from: UInt64(60), through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
      append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }

  /// Writes a moment as Unix seconds with three decimals.
  mutating func append(seconds milliseconds: Int64) {
    let (seconds, rest) = UInt64(clamping: milliseconds).quotientAndRemainder(dividingBy: 1000)
    append(digits: seconds)
    append(UInt8(ascii: "."))
    for divisor: UInt64 in [100, 10, 1] { append(UInt8(ascii: "0") + UInt8(rest / divisor % 10)) }
  }
}
