import JSON
import Values

extension Rule where Value == String {
  /// An email address as far as its form can tell.
  package static var email: Rule {
    Rule.string(EmailAddress.length).checked(
      "must be an email address", schema: .line(EmailAddress.length, format: "idn-email"), EmailAddress.isAddress)
  }
}
