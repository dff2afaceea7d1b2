import Values

/// Tells whether a caller's credential is still good, for answers that go on long after it was shown.
package struct Credentials {
  let sessions: SessionDirectory
  let tokens: PersonalTokens

  /// Whether a user's session or token is still good.
  package func areGood(of user: UserIdentity, at now: Timestamp) async throws -> Bool {
    switch user.credential {
    case .session(let session): try await sessions.role(session: session, user: user.id) != nil
    case .token(_, let digest, _): try await tokens.holder(of: digest, at: now)?.user == user.id
    }
  }
}
