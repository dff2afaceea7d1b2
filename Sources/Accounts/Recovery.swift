import Postgres
import Secrets
import Values

/// A new password for who has lost the old one: whoever had it, or a token, is out.
enum Recovery {
  /// Sets a password, and ends all sessions and tokens of the account; gives them, to be announced after the COMMIT.
  @discardableResult
  static func setPassword(
    _ hash: String, of user: Identifier, in transaction: Transaction
  ) async throws -> (sessions: [Identifier], tokens: [Identifier]) {
    try await transaction.execute(set, user, hash)
    let sessions = try await transaction.query(endSessions, user).map { try $0.decode(Identifier.self, 0) }
    return (sessions, try await Tokens.end(transaction, user: user))
  }

  private static let set = Statement(
    "recovery.setPassword",
    "UPDATE users SET password_hash = $2, updated_at = greatest(now(), updated_at + interval '1 ms') WHERE id = $1")
  // Of the database's time: a command has no clock that replicas agree on.
  private static let endSessions = Statement(
    "recovery.endSessions",
    "UPDATE sessions SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL RETURNING id")
}
