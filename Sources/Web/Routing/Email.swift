import JSON

extension Rule where Value == String {
  /// An email address as far as form can tell: one `@`, something on both sides, no spaces (RFC 5321's lengths).
  package static var email: Rule {
    Rule.string(3...254).checked("must be an email address", schema: .line(3...254, format: "email")) { text in
      let parts = text.split(separator: "@", omittingEmptySubsequences: false)
      return parts.count == 2 && (1...64).contains(parts[0].utf8.count) && parts[1].contains(".")
        && !parts[1].hasPrefix(".") && !parts[1].hasSuffix(".")
        && text.unicodeScalars.allSatisfy { $0.value > 0x20 && !$0.properties.isWhitespace && $0 != "<" && $0 != ">" }
    }
  }
}

extension String {
  /// With the letters A to Z in lower case and everything else as it is: how email addresses are compared.
  package var asciiLowercased: String {
    String(decoding: utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
  }
}
