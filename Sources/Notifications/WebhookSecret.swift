import Secrets

/// The key that signs a webhook's messages, by the Standard Webhooks specification (version 1, symmetric).
struct WebhookSecret {
  /// In bytes; the specification asks for 24 to 64.
  static let keyLength = 32
  static let prefix = "whsec_"

  let key: [UInt8]

  static func make() -> WebhookSecret { WebhookSecret(key: .random(count: keyLength)) }

  /// The secret as its holder is shown it.
  var text: String { Self.prefix + Base64.standard.padded(key) }

  /// The value of `webhook-signature`.
  func signature(id: String, unixSeconds: Int64, body: [UInt8]) -> String {
    let code = MessageAuthentication(key: key).code(of: Array("\(id).\(unixSeconds).".utf8) + body)
    return "v1,\(Base64.standard.padded(code))"
  }
}
