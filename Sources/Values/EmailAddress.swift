/// The form of an email address: one `@`, something on both sides, nothing that would end it where it is written
/// between angle brackets (RFC 5321's lengths).
package enum EmailAddress {
  /// The length of a whole address, in bytes.
  package static let length = 3...254

  /// Whether a text has the form of an email address.
  package static func isAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return length.contains(text.utf8.count) && parts.count == 2 && (1...64).contains(parts[0].utf8.count)
      && parts[1].contains(".") && !parts[1].hasPrefix(".") && !parts[1].hasSuffix(".")
      && text.unicodeScalars.allSatisfy {
        $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace && $0 != "<" && $0 != ">"
      }
  }
}

extension String {
  /// This text with A to Z in lower case and everything else as it is: how email addresses are compared.
  package var asciiLowercased: String {
    String(decoding: utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
  }
}
