/// The room that numbers need when they are written in decimal, whatever they are.
///
/// Digits are written eight at a time, so that bytes after a short number are written over.
package enum DecimalText {
  /// The digits of the largest `UInt64`.
  package static let integerBytes = 20
  /// A sign, a point and the digits of any double.
  package static let numberBytes = 32

  /// Below it, a number is one group of digits.
  static let group: UInt64 = 100_000_000
}

extension UnsafeMutableRawPointer {
  /// Writes a number in decimal and returns its length; all of `DecimalText.integerBytes` may be written over.
  package func storeDecimal(_ number: UInt64) -> Int {
    guard number < DecimalText.group else {
      let (upper, lower) = number.quotientAndRemainder(dividingBy: DecimalText.group)
      let length = storeDecimal(upper)
      storeEight(lower, at: length)
      return length + 8
    }
    let digits = eightDigits(UInt32(truncatingIfNeeded: number))
    // Zeros in front are left out, but for the last digit.
    let zeros = min((digits & 0x0F0F_0F0F_0F0F_0F0F).trailingZeroBitCount / 8, 7)
    storeBytes(of: (digits >> UInt64(zeros * 8)).littleEndian, as: UInt64.self)
    return 8 - zeros
  }

  /// Writes the last digits of a number in decimal, with zeros in front; at least eight bytes are written over.
  package func storeDecimal(_ number: UInt64, width: Int) {
    guard width <= 8 else {
      let (upper, lower) = number.quotientAndRemainder(dividingBy: DecimalText.group)
      storeDecimal(upper, width: width - 8)
      storeEight(lower, at: width - 8)
      return
    }
    let digits = eightDigits(UInt32(truncatingIfNeeded: number % DecimalText.group))
    storeBytes(of: (digits >> UInt64((8 - width) * 8)).littleEndian, as: UInt64.self)
  }

  private func storeEight(_ number: UInt64, at offset: Int) {
    storeBytes(of: eightDigits(UInt32(truncatingIfNeeded: number)).littleEndian, toByteOffset: offset, as: UInt64.self)
  }
}

extension [UInt8] {
  /// Appends an integer in decimal.
  package mutating func appendDecimal(_ integer: Int64) {
    append(upTo: 1 + DecimalText.integerBytes) { $0.appendDecimal(integer) }
  }

  /// Appends the last `width` decimal digits of a number that is not negative, with zeros in front.
  package mutating func appendDigits(_ number: Int64, width: Int) {
    append(upTo: Swift.max(width, 8)) { $0.appendDecimal(UInt64(number), width: width) }
  }

  /// Appends a number in decimal with the fewest digits that read back as it, or `null` if it is not finite.
  package mutating func appendDecimal(_ number: Double) {
    append(upTo: DecimalText.numberBytes) { $0.appendDecimal(number) }
  }
}
