import JSON
import Values

/// Signs and verifies access tokens: JSON Web Tokens (RFC 7519) by HS256 (RFC 7518, section 3.2) and nothing else.
///
/// Not Sendable: each loop has its own.
package final class TokenAuthority {
  /// The bounds of tokens and whom they name.
  package struct Settings: Sendable {
    package var issuer: String
    package var audience: String
    /// How long a token is valid.
    package var lifetimeSeconds: Int64 = 900
    /// How long after its expiry a token still passes, 0 to 30.
    package var expiryLeewaySeconds: Int64 = 0
    /// How far ahead the clock of another replica may be, 0 to 30.
    package var issueLeewaySeconds: Int64 = 30

    package init(issuer: String, audience: String) {
      self.issuer = issuer
      self.audience = audience
    }
  }

  /// The longest token that is looked at.
  package static let maximumLength = 4_096

  /// What every token of this server begins with.
  private static let header = Array(Base64.url.encoded(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)).utf8)

  private let settings: Settings
  private let key: MessageAuthentication
  private let previousKey: MessageAuthentication?

  /// `previousSecret` verifies tokens that were signed before the secret was changed.
  package init(secret: [UInt8], previousSecret: [UInt8]? = nil, settings: Settings) {
    precondition((0...30).contains(settings.expiryLeewaySeconds) && (0...30).contains(settings.issueLeewaySeconds))
    self.settings = settings
    key = MessageAuthentication(key: secret)
    previousKey = previousSecret.map { MessageAuthentication(key: $0) }
  }

  // MARK: Signing

  /// Makes a new token for a session, with the claims that it carries.
  package func issue(
    subject: Identifier, session: Identifier, role: Role, at now: Timestamp
  ) -> (text: String, claims: TokenClaims) {
    let seconds = now.unixMilliseconds.floorDivided(by: 1_000)
    let claims = TokenClaims(
      subject: subject, session: session, identifier: .make(unixMilliseconds: now.unixMilliseconds), role: role,
      issuedAt: seconds, expiresAt: seconds + settings.lifetimeSeconds)
    return (sign(claims), claims)
  }

  /// The token that carries those claims.
  package func sign(_ claims: TokenClaims) -> String {
    var json = JSONWriter()
    json.object {
      $0.member("iss", settings.issuer)
      $0.member("aud", settings.audience)
      $0.member("sub", claims.subject)
      $0.member("sid", claims.session)
      $0.member("jti", claims.identifier)
      $0.member("role", claims.role.rawValue)
      $0.member("iat", claims.issuedAt)
      $0.member("exp", claims.expiresAt)
    }
    var text = Self.header
    text.append(UInt8(ascii: "."))
    Base64.url.encode(json.bytes, to: &text)
    let code = key.code(of: text)
    text.append(UInt8(ascii: "."))
    Base64.url.encode(code, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  // MARK: Verifying

  /// The claims of a token that this server, or another with its secret, has signed and that is valid now.
  package func verify(_ text: String, at now: Timestamp) throws(TokenError) -> TokenClaims {
    try verify(Array(text.utf8), at: now)
  }

  /// The claims of a token that this server, or another with its secret, has signed and that is valid now.
  package func verify(_ text: [UInt8], at now: Timestamp) throws(TokenError) -> TokenClaims {
    guard text.count <= Self.maximumLength else { throw .malformed }
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let code = Base64.url.decode(parts[2]) else { throw .malformed }
    try checkHeader(parts[0])
    guard isSigned(Array(text[..<parts[1].endIndex]), code) else { throw .signature }
    return try check(Self.object(parts[1]), at: now.unixMilliseconds.floorDivided(by: 1_000))
  }

  /// The algorithm is never the token's choice (RFC 8725, section 3.1): another one is refused before any key is used.
  private func checkHeader(_ part: ArraySlice<UInt8>) throws(TokenError) {
    if part.elementsEqual(Self.header) { return }
    let header = try Self.object(part)
    // RFC 7515, section 4.1.11: extensions marked critical must be understood, and none is.
    guard header["alg"] == .string("HS256"), header["crit"] == nil else { throw .algorithm }
  }

  private func isSigned(_ message: [UInt8], _ code: [UInt8]) -> Bool {
    guard code.count == MessageAuthentication.codeLength else { return false }
    return message.withUnsafeBytes { message in
      key.isValid(code, of: message) || previousKey?.isValid(code, of: message) ?? false
    }
  }

  private static func object(_ part: ArraySlice<UInt8>) throws(TokenError) -> JSONObject {
    guard let bytes = Base64.url.decode(part), case .object(let object) = try? JSONReader.parse(bytes) else {
      throw .malformed
    }
    return object
  }

  private func check(_ claims: JSONObject, at seconds: Int64) throws(TokenError) -> TokenClaims {
    guard claims["iss"] == .string(settings.issuer) else { throw .issuer }
    guard let audience = claims["aud"], isMeant(audience) else { throw .audience }
    guard let expiresAt = Self.seconds(claims["exp"]), let issuedAt = Self.seconds(claims["iat"]),
      let subject = Self.identifier(claims["sub"]), let session = Self.identifier(claims["sid"]),
      let identifier = Self.identifier(claims["jti"]),
      case .string(let roleName) = claims["role"], let role = Role(rawValue: roleName)
    else { throw .claims }
    guard seconds < expiresAt + settings.expiryLeewaySeconds else { throw .expired }
    guard issuedAt <= seconds + settings.issueLeewaySeconds else { throw .tooEarly }
    if let start = claims["nbf"] {
      guard let start = Self.seconds(start) else { throw .claims }
      guard start <= seconds + settings.issueLeewaySeconds else { throw .tooEarly }
    }
    return TokenClaims(
      subject: subject, session: session, identifier: identifier, role: role, issuedAt: issuedAt,
      expiresAt: expiresAt)
  }

  /// A single audience, or one of several (RFC 7519, section 4.1.3).
  private func isMeant(_ audience: JSONValue) -> Bool {
    if case .array(let audiences) = audience { return audiences.contains(.string(settings.audience)) }
    return audience == .string(settings.audience)
  }

  /// The latest date that is believed: the end of the year 9999.
  private static let latestSeconds: Int64 = 253_402_300_799

  /// A date in whole seconds, fractions cut off (RFC 7519, section 2: NumericDate).
  private static func seconds(_ value: JSONValue?) -> Int64? {
    switch value {
    case .integer(let seconds) where (0...latestSeconds).contains(seconds): seconds
    case .number(let seconds) where seconds >= 0 && seconds <= Double(latestSeconds): Int64(seconds)
    default: nil
    }
  }

  private static func identifier(_ value: JSONValue?) -> Identifier? {
    guard case .string(let text) = value else { return nil }
    return Identifier(text)
  }
}
