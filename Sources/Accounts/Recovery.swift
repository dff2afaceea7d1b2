import Postgres
import Secrets
import Values

/// Sets a new password for a user who has lost the old one. Every session and token ends, also those of a thief.
enum Recovery {
  /// The sessions and tokens that have ended, to be announced after the COMMIT.
  typealias Ended = (sessions: [Identifier], tokens: [Identifier])

  /// Sets a password, and ends all sessions and tokens of the account.
  @discardableResult
  static func setPassword(_ hash: String, of user: Identifier, in transaction: Transaction) async throws -> Ended {
    try await transaction.execute(set, user, hash)
    try await endResets(of: user, in: transaction)
    let sessions = try await Sessions.end(transaction, user: user, except: nil, at: nil)
    return (sessions, try await Tokens.end(transaction, user: user))
  }

  /// Sets a password by the token of a mail, and uses the token up. Returns the account's address and what has ended;
  /// nil when the token is not valid.
  static func redeem(
    _ token: OpaqueKey, for hash: String, in transaction: Transaction
  ) async throws -> (account: String, ended: Ended)? {
    // The user is locked before its tokens, as an erasure does it; the second statement sees whether one was used
    // meanwhile.
    guard let row = try await transaction.query(lockByToken, token.digest).first,
      try await transaction.execute(useToken, token.digest) == 1
    else { return nil }
    let (user, account) = try row.decode((Identifier.self, String.self))
    return (account, try await setPassword(hash, of: user, in: transaction))
  }

  /// The user whose password the token of a mail can set; nil when the token is not valid.
  static func user(by token: OpaqueKey, in database: Database) async throws -> Identifier? {
    try await database.query(findByToken, token.digest).first?.decode(Identifier.self, 0)
  }

  /// Makes void the tokens that were mailed before a password was set, and gives up the mails that are due.
  static func endResets(of user: Identifier, in transaction: Transaction) async throws {
    try await transaction.execute(voidTokens, user)
  }

  private static let byToken = """
    SELECT users.id, users.email_key FROM password_resets AS reset JOIN users ON users.id = reset.user_id
    WHERE reset.hash = $1 AND reset.expires_at > now() AND NOT users.disabled
    """
  private static let findByToken = Statement("recovery.find", byToken)
  private static let lockByToken = Statement("recovery.lock", "\(byToken) FOR NO KEY UPDATE OF users")
  private static let useToken = Statement(
    "recovery.use", "UPDATE password_resets SET hash = NULL WHERE hash = $1 AND expires_at > now()")
  private static let voidTokens = Statement(
    "recovery.void", "UPDATE password_resets SET hash = NULL, next_attempt_at = NULL WHERE user_id = $1")
  private static let set = Statement(
    "recovery.setPassword",
    "UPDATE users SET password_hash = $2, updated_at = greatest(now(), updated_at + interval '1 ms') WHERE id = $1")
}
