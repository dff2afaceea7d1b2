import JSON
import Values

extension Rule where Value == String {
  /// An email address as far as its form can tell.
  package static var email: Rule {
    Rule.string(EmailAddress.length).checked(
      "must be an email address", schema: .line(EmailAddress.length, format: "email"), EmailAddress.isAddress)
  }
}

extension String {
  /// With the letters A to Z in lower case and everything else as it is: how email addresses are compared.
  package var asciiLowercased: String {
    String(decoding: utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
  }
}
