import JSON
import Testing
import Values

@testable import Secrets

@Suite("An access token")
struct TokenTests {
  private static let secret = Array("0123456789abcdef0123456789abcdef".utf8)
  private static let now = Timestamp(unixMilliseconds: 1_790_000_000_000)
  private static let claims = TokenClaims(
    subject: Identifier("01890a5d-ac96-774b-bcce-b302099a8057")!,
    session: Identifier("01890a5d-ac96-774b-bcce-b302099a8058")!,
    identifier: Identifier("01890a5d-ac96-774b-bcce-b302099a8059")!, role: .user,
    issuedAt: 1_790_000_000, expiresAt: 1_790_000_900)

  private func authority(
    _ secret: [UInt8] = secret, previous: [UInt8]? = nil, issuer: String = "terroir", audience: String = "terroir-api"
  ) -> TokenAuthority {
    TokenAuthority(
      secret: secret, previousSecret: previous, settings: .init(issuer: issuer, audience: audience))
  }

  /// A correctly signed token of any header and payload.
  private func forged(_ header: String, _ payload: String, _ secret: [UInt8] = secret) -> String {
    let message = Base64.url.encoded(Array(header.utf8)) + "." + Base64.url.encoded(Array(payload.utf8))
    let code = MessageAuthentication(key: secret).code(of: Array(message.utf8))
    return message + "." + Base64.url.encoded(code)
  }

  private static let plain = [
    ("iss", #""terroir""#), ("aud", #""terroir-api""#), ("sub", #""01890a5d-ac96-774b-bcce-b302099a8057""#),
    ("sid", #""01890a5d-ac96-774b-bcce-b302099a8058""#), ("jti", #""01890a5d-ac96-774b-bcce-b302099a8059""#),
    ("role", #""user""#), ("iat", "1790000000"), ("exp", "1790000900"),
  ]

  /// The payload of a good token with one claim replaced or added, or removed if `value` is nil.
  private func payload(_ name: String, _ value: String?) -> String {
    var members = Self.plain.filter { $0.0 != name }
    if let value { members.append((name, value)) }
    return "{" + members.map { #""\#($0.0)":\#($0.1)"# }.joined(separator: ",") + "}"
  }

  private func failure(_ token: String, _ authority: TokenAuthority, at now: Timestamp = now) -> TokenError? {
    do throws(TokenError) {
      _ = try authority.verify(token, at: now)
      return nil
    } catch {
      return error
    }
  }

  private func verify(_ token: [UInt8], _ authority: TokenAuthority) throws -> TokenClaims {
    try token.withUnsafeBytes { try authority.verify($0, at: Self.now) }
  }

  @Test("that was verified before is verified again, and refused from the second of its expiry on")
  func again() throws {
    let authority = authority()
    let token = authority.sign(Self.claims)
    for _ in 0..<3 { #expect(try authority.verify(token, at: Self.now) == Self.claims) }
    for seconds in [899, 900, 901] {
      let later = Self.now.advanced(byMilliseconds: Int64(seconds) * 1_000)
      #expect(failure(token, authority, at: Self.now.advanced(byMilliseconds: 1_000)) == nil)
      #expect(failure(token, authority, at: later) == (seconds < 900 ? nil : .expired))
    }
    #expect(failure(token + "x", authority) != nil)
    #expect(failure(token, authority, at: Self.now.advanced(byMilliseconds: -31_000)) == .tooEarly)
  }

  @Test("returns the claims that were signed")
  func roundTrip() throws {
    let authority = authority()
    #expect(try authority.verify(authority.sign(Self.claims), at: Self.now) == Self.claims)
    let (text, claims) = authority.issue(
      subject: Self.claims.subject, session: Self.claims.session, role: .admin, at: Self.now)
    #expect(try authority.verify(text, at: Self.now) == claims)
    #expect(claims.expiresAt - claims.issuedAt == 900)
    #expect(claims.role == .admin)
    #expect(claims.identifier != claims.session)
  }

  @Test("has the signature of RFC 7515, appendix A.1")
  func vector() {
    let key = Base64.url.decode(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")!
    let token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
      + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
      + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    // The signature is accepted: only the audience, which is checked after it, is at fault.
    #expect(failure(token, authority(key, issuer: "joe")) == .audience)
    #expect(failure(token, authority(issuer: "joe")) == .signature)
  }

  @Test("is refused when any one byte is changed or its end is cut off")
  func alteredBytes() {
    let authority = authority()
    let token = Array(authority.sign(Self.claims).utf8)
    for position in token.indices {
      for replacement in Set("AZaz09-_.=+/{\u{0}é".utf8) where replacement != token[position] {
        var altered = token
        altered[position] = replacement
        #expect(throws: TokenError.self) { try verify(altered, authority) }
      }
      #expect(throws: TokenError.self) { try verify(Array(token[..<position]), authority) }
    }
  }

  @Test(
    "is refused unless it has three parts in Base64, none of them empty",
    arguments: [
      "", ".", "..", "...", "a.b", "a.b.c", "e30.e30", "e30.e30.", "e30.e30.AA=", "!.e30.AA",
      String(repeating: "A", count: 5_000),
    ])
  func malformed(token: String) {
    #expect(throws: TokenError.self) { try authority().verify(token, at: Self.now) }
  }

  @Test(
    "is refused with any algorithm but HS256, and with critical extensions, whatever its signature",
    arguments: [
      #"{"alg":"none"}"#, #"{"alg":"None"}"#, #"{"alg":"hs256"}"#, #"{"alg":"HS384"}"#, #"{"alg":"HS512"}"#,
      #"{"alg":"RS256"}"#, #"{"alg":["HS256"]}"#, #"{"alg":null}"#, "{}", #"{"typ":"JWT"}"#,
      #"{"alg":"HS256","crit":["exp"],"exp":1}"#, #"{"alg":"HS256","crit":[]}"#,
    ])
  func algorithms(header: String) {
    let token = forged(header, payload("role", #""user""#))
    #expect(failure(token, authority()) == .algorithm)
    let unsigned = token.prefix { $0 != "." } + "." + token.split(separator: ".")[1] + "."
    #expect(failure(String(unsigned), authority()) == .algorithm)
  }

  @Test(
    "may have any type, or none, and other members in its header",
    arguments: [#"{"alg":"HS256"}"#, #"{"typ":"at+jwt","alg":"HS256"}"#, #"{"alg":"HS256","kid":"1","typ":7}"#])
  func headers(header: String) {
    #expect(failure(forged(header, payload("role", #""user""#)), authority()) == nil)
  }

  @Test(
    "is refused when its header or payload is not an object or names a member twice",
    arguments: [
      ("[]", "{}"), ("{}x", "{}"), (#"{"alg":"HS256"}"#, "[]"), (#"{"alg":"HS256"}"#, "null"),
      (#"{"alg":"HS256"}"#, #"{"iss":"terroir","iss":"terroir"}"#), (#"{"alg":"HS256","alg":"none"}"#, "{}"),
    ])
  func notObjects(header: String, payload: String) {
    #expect(failure(forged(header, payload), authority()) == .malformed)
  }

  @Test(
    "is refused for each claim that is missing or wrong",
    arguments: [
      ("iss", nil, .issuer), ("iss", #""other""#, .issuer), ("iss", #"["terroir"]"#, .issuer),
      ("aud", nil, .audience), ("aud", #""other""#, .audience), ("aud", #"["other"]"#, .audience),
      ("aud", "[]", .audience), ("aud", #"["other","terroir-api"]"#, nil),
      ("sub", nil, .claims), ("sub", #""1""#, .claims), ("sub", "1", .claims), ("sid", nil, .claims),
      ("jti", nil, .claims), ("jti", #""x""#, .claims), ("role", nil, .claims), ("role", "1", .claims),
      ("role", #""admin""#, nil), ("exp", nil, .claims), ("exp", #""1790000900""#, .claims), ("exp", "-1", .claims),
      ("exp", "9223372036854775807", .claims), ("exp", "1e300", .claims), ("exp", "1790000900.5", nil),
      ("exp", "1789999999", .expired), ("exp", "1790000000", .expired), ("exp", "1790000001", nil),
      ("exp", "0", .expired),
      ("iat", nil, .claims), ("iat", "true", .claims), ("iat", "1790000030", nil), ("iat", "1790000031", .tooEarly),
      ("nbf", "1790000030", nil), ("nbf", "1790000031", .tooEarly), ("nbf", #""soon""#, .claims),
      ("extra", #"{"a":[1]}"#, nil),
    ] as [(String, String?, TokenError?)])
  func claims(name: String, value: String?, expected: TokenError?) {
    let token = forged(#"{"alg":"HS256"}"#, payload(name, value))
    #expect(failure(token, authority()) == expected)
  }

  @Test("with a role that this release does not know is a user's")
  func unknownRole() throws {
    let token = forged(#"{"alg":"HS256"}"#, payload("role", #""gardener""#))
    #expect(try authority().verify(token, at: Self.now).role == .user)
  }

  @Test("is accepted after its expiry for the leeway that is set, and no longer")
  func expiryLeeway() {
    var settings = TokenAuthority.Settings(issuer: "terroir", audience: "terroir-api")
    settings.expiryLeewaySeconds = 30
    let authority = TokenAuthority(secret: Self.secret, settings: settings)
    let token = authority.sign(Self.claims)
    #expect(failure(token, authority, at: Timestamp(unixMilliseconds: 1_790_000_929_999)) == nil)
    #expect(failure(token, authority, at: Timestamp(unixMilliseconds: 1_790_000_930_000)) == .expired)
  }

  @Test("signed with the previous secret is accepted while that is set, and new ones are not signed with it")
  func rotation() {
    let old = authority()
    let new = authority(Array("another secret of sufficient length".utf8), previous: Self.secret)
    #expect(failure(old.sign(Self.claims), new) == nil)
    #expect(failure(new.sign(Self.claims), new) == nil)
    #expect(failure(new.sign(Self.claims), old) == .signature)
  }
}
