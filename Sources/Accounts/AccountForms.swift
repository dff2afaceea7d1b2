import JSON
import Secrets
import Values
import Web

/// A new account.
struct Registration: JSONForm {
  let email: String
  let password: String
  let displayName: String
  let invitation: String?

  init(_ fields: inout Fields) {
    email = fields.required("email", .email)
    password = fields.required("password", .newPassword)
    displayName = fields.required("displayName", .displayName)
    invitation = fields.optional(
      "invitation", .string(1...256), "The token of an invitation to a garden; registering accepts it.")
  }
}

/// A change of an account.
struct ProfileChange: JSONForm {
  let displayName: String?
  let locale: Patch<String>
  let password: String?
  let currentPassword: String?

  init(_ fields: inout Fields) {
    displayName = fields.change("displayName", .displayName)
    locale = fields.patch("locale", .locale, "A language tag (BCP 47).")
    password = fields.change("password", .newPassword)
    currentPassword = fields.change("currentPassword", .password, "Needed with `password`.")
    if password != nil, currentPassword == nil {
      fields.fault("currentPassword", "is required to change the password")
    }
    // Without a new password it is not checked, and a client could believe that it was.
    if currentPassword != nil, password == nil { fields.fault("password", "is required with currentPassword") }
  }
}

/// The password that confirms the erasure of an account.
struct AccountErasure: JSONForm {
  let password: String

  init(_ fields: inout Fields) { password = fields.required("password", .password) }
}

extension Rule where Value == String {
  static var displayName: Rule { .string(1...80).nonblank }

  /// A password that was chosen before: only its length is checked.
  static var password: Rule { .string(1...PasswordPolicy.length.upperBound) }

  /// A password that is being chosen: the policy has to allow it.
  static var newPassword: Rule {
    Rule.string(PasswordPolicy.length).checked("is among the passwords that attackers try first") {
      PasswordPolicy.fault($0) == nil
    }
  }

  /// A language tag by its form (BCP 47): letters and digits in groups of up to eight.
  static var locale: Rule {
    Rule.string(2...35).checked(
      "must be a language tag such as en-GB",
      schema: .string(minLength: 2, maxLength: 35, pattern: "^[A-Za-z0-9]{2,3}(-[A-Za-z0-9]{1,8})*$")
    ) { text in
      let groups = text.split(separator: "-", omittingEmptySubsequences: false)
      return groups.allSatisfy { group in
        (1...8).contains(group.utf8.count)
          && group.utf8.allSatisfy { $0.isASCIIDigit || $0.isASCIILetter }
      } && (2...3).contains(groups[0].utf8.count)
    }
  }
}
