/// Classes of characters of ASCII. No byte of another character of UTF-8 is in them.
extension UInt8 {
  /// 0 to 9.
  @inlinable package var isASCIIDigit: Bool { self &- UInt8(ascii: "0") < 10 }

  /// A to Z and a to z.
  @inlinable package var isASCIILetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }

  /// a to z.
  @inlinable package var isASCIILowercase: Bool { self &- UInt8(ascii: "a") < 26 }

  /// Space, tab, line feed and carriage return, which are all the white space of JSON (RFC 8259, section 2).
  @inlinable package var isASCIIBlank: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}

extension FixedWidthInteger {
  /// The number that decimal digits make; nil where anything else is among them, such as a sign, or it does not fit.
  package init?(digits: some StringProtocol) {
    guard digits.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
    self.init(digits)
  }
}
