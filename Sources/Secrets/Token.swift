import Values

/// What an access token says.
package struct TokenClaims: Equatable, Sendable {
  /// The account (`sub`).
  package var subject: Identifier
  /// The session (`sid`), whose revocation ends the token.
  package var session: Identifier
  /// The token itself (`jti`).
  package var identifier: Identifier
  package var role: Role
  /// Seconds since 1970 (`iat`).
  package var issuedAt: Int64
  /// Seconds since 1970 (`exp`): from this second on the token is refused.
  package var expiresAt: Int64

  package init(
    subject: Identifier, session: Identifier, identifier: Identifier, role: Role, issuedAt: Int64, expiresAt: Int64
  ) {
    self.subject = subject
    self.session = session
    self.identifier = identifier
    self.role = role
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
  }
}

/// Why a token is refused. For the log: a client learns only that its token is not valid, or has expired.
package enum TokenError: Error, Equatable, Sendable {
  /// Not three parts of Base64 with JSON objects in the first two.
  case malformed
  /// Another algorithm than HS256, or an extension that must be understood (`crit`).
  case algorithm
  case signature
  case expired
  /// Issued in the future, or not valid yet (`nbf`).
  case tooEarly
  case issuer
  case audience
  /// A claim that a token of this server has is missing or of the wrong form.
  case claims
}
