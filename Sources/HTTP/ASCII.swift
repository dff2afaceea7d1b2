/// Classes of ASCII characters, as RFC 9110 and RFC 3986 name them.
enum ASCII {
  static let tab = UInt8(ascii: "\t")
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let colon = UInt8(ascii: ":")

  @inline(__always)
  static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

  @inline(__always)
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// A character of a token: letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, section 5.6.2).
  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool {
    contains(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE, byte)
  }

  /// A character of a host with port: unreserved, sub-delims, %, : and brackets (RFC 3986, section 3.2.2).
  static func isHost(_ byte: UInt8) -> Bool {
    contains(low: 0x2FFF_7FF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFE, byte)
  }

  /// Whether a byte is in the set of two words, one bit for each of the 128 characters.
  @inline(__always)
  private static func contains(low: UInt64, high: UInt64, _ byte: UInt8) -> Bool {
    guard byte < 0x80 else { return false }
    let word = byte < 64 ? low : high
    return (word &>> UInt64(byte & 63)) & 1 != 0
  }
}
