/// The form of an email address: a mailbox of RFC 5321, section 4.1.2, without quoted local parts and address literals,
/// and with characters beyond ASCII (RFC 6531, section 3.3). Dots of the local part may stand anywhere, as in addresses
/// that some providers gave out.
package enum EmailAddress {
  /// The length of a whole address, in bytes.
  package static let length = 3...254
  private static let marks = Set(".!#$%&'*+-/=?^_`{|}~".unicodeScalars)

  /// Whether a text has the form of an email address. Its domain has a dot.
  package static func isAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard length.contains(text.utf8.count), parts.count == 2, (1...64).contains(parts[0].utf8.count) else {
      return false
    }
    let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
    return isLocalPart(parts[0]) && labels.count > 1 && labels.allSatisfy(isLabel)
  }

  private static func isLocalPart(_ text: Substring) -> Bool {
    text.unicodeScalars.allSatisfy { isLetterOrDigit($0) || marks.contains($0) }
  }

  private static func isLabel(_ text: Substring) -> Bool {
    (1...63).contains(text.utf8.count) && !text.hasPrefix("-") && !text.hasSuffix("-")
      && text.unicodeScalars.allSatisfy { isLetterOrDigit($0) || $0 == "-" }
  }

  /// Whether a scalar is a letter or digit of ASCII, or neither a control character nor white space beyond it.
  private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "A"..."Z", "a"..."z", "0"..."9": true
    default: scalar.value > 0x9F && !scalar.properties.isWhitespace
    }
  }
}

extension String {
  /// This text with A to Z in lower case and everything else as it is: how email addresses are compared.
  package var asciiLowercased: String {
    String(decoding: utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
  }
}
