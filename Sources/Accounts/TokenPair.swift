import JSON
import Secrets
import Values
import Web

/// The tokens of a session: a short-lived access token, and the refresh token for the next pair.
struct TokenPair {
  private let access: (text: String, claims: TokenClaims)
  private let refresh: OpaqueKey
  private let session: Session

  /// The pair of a user's session, with a new access token.
  init(
    _ session: Session, of user: Identifier, _ role: Role, _ refresh: OpaqueKey, _ context: LoopContext,
    at now: Timestamp
  ) {
    access = context.tokens.issue(subject: user, session: session.id, role: role, at: now)
    self.refresh = refresh
    self.session = session
  }

  /// The body of an answer.
  var body: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("accessToken", access.text)
      json.member("tokenType", "Bearer")
      json.member("expiresIn", access.claims.expiresAt - access.claims.issuedAt)
      json.member("refreshToken", refresh.text)
      json.key("session")
      json.object(session.write)
    }
    return json.take()
  }

  static let schema = Schema.named(
    "TokenPair",
    .object([
      .required("accessToken", .string()), .required("tokenType", .constant("Bearer")),
      .required("expiresIn", .integer(minimum: 1), "Seconds."), .required("refreshToken", .string()),
      .required("session", Session.schema),
    ]),
    example: #"""
      {"accessToken":"eyJhbGciOiJIUzI1NiJ9.…","tokenType":"Bearer","expiresIn":900,"refreshToken":"trt_…",\#
      "session":{"id":"019aa5c0-0000-7000-8000-000000000008","userAgent":"curl/8.5.0","clientAddress":"203.0.113.7",\#
      "createdAt":"2026-11-21T09:30:00.000Z","lastUsedAt":"2026-11-21T09:30:00.000Z",\#
      "expiresAt":"2026-12-21T09:30:00.000Z","current":true}}
      """#)
}
