extension JSONScanner {
  /// Reads a number (section 6), if one is next.
  package mutating func number() throws(JSONError) -> JSONNumber? {
    skipWhitespace()
    guard let first = peek(), first == UInt8(ascii: "-") || digit(first) != nil else { return nil }
    let start = offset
    var decimal = DecimalNumber()
    if first == UInt8(ascii: "-") {
      decimal.isNegative = true
      offset += 1
    }
    let leadingZero = peek() == UInt8(ascii: "0")
    let integerDigits = try digits(into: &decimal)
    if leadingZero, integerDigits > 1 { throw JSONError(kind: .invalidNumber, offset: start) }

    var isInteger = true
    if peek() == UInt8(ascii: ".") {
      isInteger = false
      offset += 1
      decimal.exponent -= try digits(into: &decimal)
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      isInteger = false
      offset += 1
      decimal.exponent += try exponent()
    }
    guard offset - start <= limits.numberLength else { throw JSONError(kind: .numberTooLarge, offset: start) }
    if isInteger, let integer = decimal.integer { return .integer(integer) }
    guard let double = decimal.double ?? converted(start..<offset), double.isFinite
    else { throw JSONError(kind: .numberTooLarge, offset: start) }
    return .double(double)
  }

  /// Steps over one or more digits, adds them to `decimal` and returns their count.
  private mutating func digits(into decimal: inout DecimalNumber) throws(JSONError) -> Int {
    let start = offset
    var position = start
    while position < bytes.count, let digit = digit(bytes[position]) {
      decimal.append(digit)
      position += 1
    }
    offset = position
    guard position > start else { throw malformedNumber() }
    return position - start
  }

  /// Steps over the sign and digits of an exponent and returns it, cut at `DecimalNumber.exponentBound`.
  private mutating func exponent() throws(JSONError) -> Int {
    let sign = peek()
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { offset += 1 }
    let start = offset
    var exponent = 0
    while let byte = peek(), let digit = digit(byte) {
      exponent = min(exponent * 10 + Int(digit), DecimalNumber.exponentBound)
      offset += 1
    }
    guard offset > start else { throw malformedNumber() }
    return sign == UInt8(ascii: "-") ? -exponent : exponent
  }

  private func malformedNumber() -> JSONError {
    JSONError(kind: offset < bytes.count ? .invalidNumber : .unexpectedEnd, offset: offset)
  }

  @inline(__always)
  private func digit(_ byte: UInt8) -> UInt8? {
    let digit = byte &- UInt8(ascii: "0")
    return digit < 10 ? digit : nil
  }

  /// The double nearest to the number in `range`, found by the standard library; infinite on overflow. Only rare
  /// numbers come here: long ones and those of large exponents.
  private func converted(_ range: Range<Int>) -> Double? {
    Double(String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self))
  }
}
