import HTTP
import Values

extension Configuration {
  /// News for users, and the mail server that takes some of it.
  package struct Notifications: Sendable {
    package internal(set) var isOn = false
    package internal(set) var allowedNetworks: [AddressBlock] = []
    /// Nil when no mail can be sent.
    package internal(set) var mailServer: ServiceURL?
    package internal(set) var startTLS = StartTLS.required
    package internal(set) var sender: String?

    static let settings = [
      Setting(
        "NOTIFICATIONS", \.notifications.isOn, .flag, default: .text("on"),
        "Whether news is delivered; turn it off for a server on a copy of the database, such as a restore test's."),
      Setting(
        "NOTIFY_ALLOWED_NETWORKS", \.notifications.allowedNetworks, Form.addressBlock.list(), default: .text(""),
        "Private addresses and blocks that users' channels may point at, separated by commas."),
      Setting(
        "SMTP_URL", optional: \.notifications.mailServer, .mailServer,
        "The mail server: smtps://user:password@host:465, or smtp:// for STARTTLS. Without one no mail is sent."),
      Setting(
        "SMTP_STARTTLS", \.notifications.startTLS, .name, default: .text("required"),
        "Whether smtp:// demands STARTTLS: required, or none for a relay in a network that you trust."),
      Setting("SMTP_FROM", optional: \.notifications.sender, .mailAddress, "The sender's address of all mail."),
    ]
  }

  /// Whether `smtp://` must change to TLS before anything else. There is no third choice: TLS only where it is offered
  /// can be prevented by anyone in between.
  package enum StartTLS: String, Sendable, CaseIterable {
    case required, none
  }
}

extension Form where Value == ServiceURL {
  /// A mail server. Shown without its password.
  fileprivate static var mailServer: Form {
    Form(
      "a URL such as smtps://user:password@host:465",
      parse: { text in
        ServiceURL(text).flatMap { ["smtp", "smtps"].contains($0.scheme) && $0.query == nil ? $0 : nil }
      },
      show: { SecretText.masked(url: $0.description) })
  }
}

extension Form where Value == String {
  fileprivate static var mailAddress: Form {
    Form("an email address", parse: { EmailAddress.isAddress($0) ? $0 : nil }, show: { $0 })
  }
}
