import Secrets

/// What a webhook's messages are signed with, by the Standard Webhooks specification (version 1, symmetric).
struct WebhookSecret {
  /// The specification asks for 24 to 64 bytes.
  static let keyLength = 32
  static let prefix = "whsec_"

  let key: [UInt8]

  static func make() -> WebhookSecret { WebhookSecret(key: .random(count: keyLength)) }

  /// As its holder is shown it.
  var text: String { Self.prefix + Base64.standard.padded(key) }

  /// What stands in `webhook-signature`.
  func signature(id: String, unixSeconds: Int64, body: [UInt8]) -> String {
    let code = MessageAuthentication(key: key).code(of: Array("\(id).\(unixSeconds).".utf8) + body)
    return "v1,\(Base64.standard.padded(code))"
  }
}
