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
