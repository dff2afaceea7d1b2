import Notifications
import Postgres
import Settings
import Values
import Web

/// Accounts and their sessions, on one loop.
package struct AccountFeature: Feature {
  let context: LoopContext
  /// The features in which users own things.
  let others: [any Feature]
  private let throttle: LoginThrottle
  /// Nil where this server sends no mail.
  private let resetMail: ResetMail?

  package init(_ context: LoopContext, others: [any Feature]) {
    self.context = context
    self.others = others
    throttle = LoginThrottle(
      redis: context.redis, loop: context.loop, prefix: context.configuration.redis.keyPrefix)
    let submission = context.configuration.notifications.isOn ? MailSubmission(context) : nil
    resetMail = submission.map { ResetMail(context, $0) }
  }

  package var endpoints: [Endpoint] {
    let passwords = MemberPasswords(pool: context.passwords, shares: context.passwordShares)
    let erasure = Erasure(context: context, features: others + [self])
    let groups: [any EndpointGroup] = [
      Users(context: context, throttle: throttle, passwords: passwords, erasure: erasure),
      SigningIn(context: context, throttle: throttle, passwords: passwords), SessionRenewal(context: context),
      Sessions(context: context), Tokens(context: context),
      PasswordResets(context: context, throttle: throttle, passwords: passwords, sendsMail: resetMail != nil),
      Administration(context: context),
    ]
    return groups.flatMap(\.endpoints)
  }

  package var duties: [Duty] { resetMail.map { [$0.duty] } ?? [] }

  /// Used refresh tokens expire a day before their session, so that deleting a session cascades to few rows.
  package var expiries: [Expiry] {
    [
      Self.usedTokenExpiry.after(days: context.configuration.accounts.refreshTokenDays), Self.sessionExpiry,
      Tokens.expiry, PasswordResets.expiry,
    ]
  }

  /// A used refresh token is kept for as long as a thief, or the user it was stolen from, could still take it for
  /// valid: its reuse ends the session. A session may go on for years, and each renewal leaves one.
  static let usedTokenExpiry = Expiry(
    "expiry.refreshTokens", from: "refresh_tokens", where: "used_at < now() - make_interval(days => $2::integer)",
    orderBy: "used_at")

  static let sessionExpiry = Expiry(
    "expiry.sessions", from: "sessions", where: "expires_at < now() - interval '1 day'")

  package func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] {
    [
      ExportPart(kind: .profile, sql: "SELECT \(unescaped: Profile.columns) FROM users WHERE id = \(user)") {
        row, json in try Profile(row).write(&json)
      }
    ]
  }

  /// Ends all sessions and tokens, and deletes requests for a new password. The sessions are deleted with the account
  /// itself, by `Erasure`.
  package func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit {
    try await transaction.execute(Self.deleteResets, user)
    let ended = try await transaction.query(Self.sessions, user).map { try $0.decode(Identifier.self, 0) }
    let tokens = try await Tokens.end(transaction, user: user)
    return {
      await context.sessions.ended(ended)
      await context.personalTokens.ended(tokens)
    }
  }

  package func close() {}
  package func finish() async {}

  private static let sessions = Statement("erasure.sessions", "SELECT id FROM sessions WHERE user_id = $1")
  private static let deleteResets = Statement(
    "erasure.passwordResets",
    "DELETE FROM password_resets WHERE email_key = (SELECT email_key FROM users WHERE id = $1)")
}
