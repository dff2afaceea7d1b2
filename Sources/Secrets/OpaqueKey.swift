/// A random secret that only its holder keeps; the server keeps the digest of it.
///
/// The text is a prefix that tells its kind, also to secret scanners, and 256 random bits in Base64.
package struct OpaqueKey: Sendable {
  /// What a key is for.
  package enum Kind: String, Sendable, CaseIterable {
    /// Renews a session once.
    case refreshToken = "trt_"
    /// Lets a device post its readings.
    case deviceKey = "tdk_"
    /// Lets a program do some of what its user may.
    case personalToken = "tpt_"
    /// Makes the user who accepts it a member of a garden.
    case invitation = "tiv_"
    /// Opens one event stream once.
    case ticket = "ttk_"
    /// Opens a session to a browser, as its cookie.
    case sessionKey = "tsk_"
    /// Sets a new password once.
    case passwordReset = "tpr_"
  }

  static let secretLength = 32
  /// The length of every key's text in bytes.
  package static let textLength = 4 + Base64.textLength(of: secretLength)

  package let kind: Kind
  /// What the holder is given, once.
  package let text: String
  /// SHA-256 of the text: what is stored and looked for. A fast hash will do, since 256 random bits cannot be guessed.
  package let digest: [UInt8]

  /// Makes a new key from the system's random numbers.
  package static func make(_ kind: Kind) -> OpaqueKey { OpaqueKey(kind, secret: .random(count: secretLength)) }

  /// Derives the key for a name: the same each time, and only `key` leads to it.
  package static func derived(_ kind: Kind, from name: [UInt8], by key: [UInt8]) -> OpaqueKey {
    OpaqueKey(kind, secret: MessageAuthentication(key: key).code(of: name))
  }

  /// The key of a secret, which is `secretLength` bytes that cannot be guessed.
  init(_ kind: Kind, secret: [UInt8]) {
    precondition(secret.count == Self.secretLength)
    self.init(kind, kind.rawValue + Base64.url.encoded(secret))
  }

  /// Reads a key of `kind` as its holder sends it; nil for a text that was never one.
  package init?(_ text: some StringProtocol, _ kind: Kind) {
    guard text.utf8.count == Self.textLength, text.hasPrefix(kind.rawValue),
      let secret = Base64.url.decode(text.dropFirst(kind.rawValue.utf8.count)),
      secret.count == Self.secretLength
    else { return nil }
    self.init(kind, String(text))
  }

  private init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = text
    digest = Digest.sha256(Array(text.utf8))
  }

  /// Whether this key has the stored digest, in constant time.
  package func matches(_ digest: [UInt8]) -> Bool { constantTimeEquals(self.digest, digest) }
}
