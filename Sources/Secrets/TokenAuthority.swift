import JSON
import Reactor
import Values

/// Signs and verifies access tokens: JSON Web Tokens (RFC 7519) by HS256 (RFC 7518, section 3.2) and nothing else.
///
/// A verified token is remembered for a while, as a whole: only its times have to be checked again. Not Sendable: each
/// loop has its own.
package final class TokenAuthority {
  /// The bounds of tokens, and the issuer and audience that they name.
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

  /// The longest token that is read, in bytes.
  package static let maximumLength = 4_096

  /// How long a token is remembered once it was verified, in nanoseconds.
  private static let rememberedNanoseconds: UInt64 = 60_000_000_000
  /// The most tokens that are remembered.
  private static let maximumRemembered = 4_096

  /// What every token of this server begins with.
  private static let header = Array(Base64.url.encoded(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)).utf8)

  private let settings: Settings
  private let key: MessageAuthentication
  private let previousKey: MessageAuthentication?
  private var verified = ShortMemory<[UInt8], TokenClaims>(
    lifetimeNanoseconds: rememberedNanoseconds, capacity: maximumRemembered)

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
    Base64.url.encode(json.bytes.span, to: &text)
    let code = key.code(of: text)
    text.append(UInt8(ascii: "."))
    Base64.url.encode(code.span, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  // MARK: Verifying

  /// The claims of a token that this server, or another with its secret, has signed and that is valid now.
  package func verify(_ text: String, at now: Timestamp) throws(TokenError) -> TokenClaims {
    let bytes = Array(text.utf8)
    return try bytes.withUnsafeBufferPointer { bytes throws(TokenError) in
      try verify(UnsafeRawBufferPointer(bytes), at: now)
    }
  }

  /// The claims of a token that this server, or another with its secret, has signed and that is valid now.
  package func verify(_ text: UnsafeRawBufferPointer, at now: Timestamp) throws(TokenError) -> TokenClaims {
    guard text.count <= Self.maximumLength else { throw .malformed }
    let (token, nanoseconds) = ([UInt8](text), UInt64(max(0, now.unixMilliseconds)) * 1_000_000)
    let seconds = now.unixMilliseconds.floorDivided(by: 1_000)
    if let claims = verified.value(of: token, at: nanoseconds) {
      try checkTimes(of: claims, at: seconds)
      return claims
    }
    let claims = try verifyAnew(text, at: seconds)
    verified.keep(claims, of: token, at: nanoseconds)
    return claims
  }

  private func verifyAnew(_ text: UnsafeRawBufferPointer, at seconds: Int64) throws(TokenError) -> TokenClaims {
    let dot = UInt8(ascii: ".")
    guard let first = text.firstIndex(of: dot),
      let second = text[(first + 1)...].firstIndex(of: dot),
      // A third dot is no Base64.
      let code = Base64.url.decode(UnsafeRawBufferPointer(rebasing: text[(second + 1)...]))
    else { throw .malformed }
    try checkHeader(UnsafeRawBufferPointer(rebasing: text[..<first]))
    guard isSigned(UnsafeRawBufferPointer(rebasing: text[..<second]), code) else { throw .signature }
    guard let payload = Base64.url.decode(UnsafeRawBufferPointer(rebasing: text[(first + 1)..<second])) else {
      throw .malformed
    }
    let claims = try TokenPayload(payload, issuer: settings.issuer, audience: settings.audience)
    return try check(claims, at: seconds)
  }

  /// The algorithm is never the token's choice (RFC 8725, section 3.1): another one is refused before any key is used.
  private func checkHeader(_ part: UnsafeRawBufferPointer) throws(TokenError) {
    if part.elementsEqual(Self.header) { return }
    guard let bytes = Base64.url.decode(part), case .object(let header) = try? JSONReader.parse(bytes) else {
      throw .malformed
    }
    // RFC 7515, section 4.1.11: extensions marked critical must be understood, and none is.
    guard header["alg"] == .string("HS256"), header["crit"] == nil else { throw .algorithm }
  }

  private func isSigned(_ message: UnsafeRawBufferPointer, _ code: [UInt8]) -> Bool {
    guard code.count == MessageAuthentication.codeLength else { return false }
    return key.isValid(code, of: message) || previousKey?.isValid(code, of: message) ?? false
  }

  private func check(_ payload: TokenPayload, at seconds: Int64) throws(TokenError) -> TokenClaims {
    guard payload.isFromIssuer else { throw .issuer }
    guard payload.isForAudience else { throw .audience }
    guard let expiresAt = payload.expiresAt, let issuedAt = payload.issuedAt, let subject = payload.subject,
      let session = payload.session, let identifier = payload.identifier, let role = payload.role
    else { throw .claims }
    let claims = TokenClaims(
      subject: subject, session: session, identifier: identifier, role: role, issuedAt: issuedAt,
      expiresAt: expiresAt)
    try checkTimes(of: claims, at: seconds)
    guard payload.notBefore ?? 0 <= seconds + settings.issueLeewaySeconds else { throw .tooEarly }
    return claims
  }

  private func checkTimes(of claims: TokenClaims, at seconds: Int64) throws(TokenError) {
    guard seconds < claims.expiresAt + settings.expiryLeewaySeconds else { throw .expired }
    guard claims.issuedAt <= seconds + settings.issueLeewaySeconds else { throw .tooEarly }
  }
}
