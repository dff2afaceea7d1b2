/// Classes of ASCII characters, as RFC 9110 and RFC 3986 name them.
enum ASCII {
  static let tab = UInt8(ascii: "\t")
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let colon = UInt8(ascii: ":")

  /// A class of characters: a bit in `classes`.
  enum Class: UInt8 {
    /// Characters of a token: letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, section 5.6.2).
    case token = 1
    /// Characters of a host name other than escapes: unreserved and sub-delims (RFC 3986, section 3.2.2).
    case host = 2
    /// Characters that end a target, may not be in it, or have a meaning in it: those that are not graphic, and ?%#.
    case targetSpecial = 4
  }

  /// The classes of each of the 256 bytes as a digit, sixteen to a line: a literal, since looking at it costs no
  /// initialisation and no reference count.
  private static var classes: StaticString {
    """
    4444444444444444\
    4444444444444444\
    4305353322332330\
    3333333333020204\
    0333333333333333\
    3333333333300013\
    1333333333333333\
    3333333333301034\
    4444444444444444\
    4444444444444444\
    4444444444444444\
    4444444444444444\
    4444444444444444\
    4444444444444444\
    4444444444444444\
    4444444444444444
    """
  }

  @inline(__always)
  static func isIn(_ characterClass: Class, _ byte: UInt8) -> Bool {
    classes.utf8Start[Int(byte)] & characterClass.rawValue != 0
  }

  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool { isIn(.token, byte) }

  @inline(__always)
  static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }
}
