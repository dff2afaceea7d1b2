import Notifications
import Outbound
import Postgres
import Secrets
import Values
import Web

/// Mails the tokens for password resets: one replica at a time takes the mails that are due, and sends them after the
/// COMMIT.
///
/// A token is derived from its request and the server's secret, so that every attempt sends the same one, although only
/// its digest is stored. It is valid for an hour from the last attempt on. A mail that is still due an hour after its
/// request is given up.
final class ResetMail {
  /// The most mails in flight.
  static let maximumMails = 16
  /// The pauses between attempts, in seconds; the last one repeats. Each is longer than an attempt.
  static let pauseSeconds = [15, 30, 120, 300]

  /// A mail that is to be sent.
  private struct Letter {
    let id: Identifier
    let address: String
    let token: OpaqueKey
  }

  // Invariant 1: the loop's context outlives its features.
  private unowned(unsafe) let context: LoopContext
  private let submission: MailSubmission
  private let key: [UInt8]
  private var taken: [Letter] = []
  private var active = 0

  init(_ context: LoopContext, _ submission: MailSubmission) {
    self.context = context
    self.submission = submission
    key = context.configuration.accounts.keys("password reset 1")[0]
  }

  var duty: Duty {
    Duty(
      name: "password-resets", intervalSeconds: 1, timeoutMilliseconds: 3_000, run: take, onCommit: sendTaken,
      onFailure: { [self] _ in
        // They fall due again.
        taken = []
        return false
      })
  }

  /// Takes the mails that are due, so that no other replica does before they can be tried again.
  private func take(_ transaction: Transaction) async throws -> Bool {
    taken = []
    try await transaction.execute(Self.giveUp)
    for row in try await transaction.query(Self.due, Self.maximumMails - active) {
      let (id, user, address) = try row.decode((Identifier.self, Identifier.self, String.self))
      let token = OpaqueKey.derived(.passwordReset, from: Array(id.description.utf8), by: key)
      if try await transaction.execute(Self.take, id, user, token.digest, Self.pauseSeconds) == 1 {
        taken.append(Letter(id: id, address: address, token: token))
      }
    }
    return false
  }

  private func sendTaken() {
    for letter in exchange(&taken, with: []) {
      active += 1
      context.loop.spawn { [self] in
        await send(letter)
        active -= 1
      }
    }
  }

  private func send(_ letter: Letter) async {
    do {
      try await submission.send(
        to: letter.address, subject: "A new password for Terroir", text: text(letter), id: letter.id.description)
      count(.delivered)
      try await context.database.execute(Self.markSent, letter.id)
    } catch {
      if error is OutboundError { count(.failed) }
      context.logger.log(.warning, "A password reset was not mailed") { $0.field("error", error: error) }
    }
  }

  private func text(_ letter: Letter) -> String {
    let way =
      if let place = context.configuration.listening.publicURL {
        "Choose it within an hour:\n\n\(place)/password-reset#\(letter.token.text)"
      } else {
        "Choose it within an hour, on the page /password-reset of your server, by this code:\n\n\(letter.token.text)"
      }
    return """
      Somebody, most likely you, asks for a new password for the account of \(letter.address).

      \(way)

      If it was not you, there is nothing to do: your password stays as it is.

      """
  }

  private func count(_ outcome: NewsOutcome) {
    context.process.instruments.news.count("email", outcome, shard: context.loop.index).increment()
  }

  // MARK: SQL

  private static let giveUp = Statement(
    "resetMail.giveUp",
    """
    UPDATE password_resets SET next_attempt_at = NULL
    WHERE next_attempt_at <= now() AND (requested_at < now() - interval '1 hour' OR NOT EXISTS (
      SELECT 1 FROM users WHERE users.email_key = password_resets.email_key AND NOT users.disabled))
    """)
  // Skips an account that is just being erased: its erasure waits for what is locked here.
  private static let due = Statement(
    "resetMail.due",
    """
    SELECT reset.id, users.id, users.email FROM password_resets AS reset
      JOIN users ON users.email_key = reset.email_key AND NOT users.disabled
    WHERE reset.next_attempt_at <= now() ORDER BY reset.next_attempt_at LIMIT $1
    FOR KEY SHARE OF users SKIP LOCKED
    """)
  private static let take = Statement(
    "resetMail.take",
    """
    UPDATE password_resets SET user_id = $2, hash = $3, expires_at = now() + interval '1 hour', attempts = attempts + 1,
      next_attempt_at = now() + make_interval(secs => ($4)[least(attempts + 1, cardinality($4))])
    WHERE id = $1 AND next_attempt_at <= now()
    """)
  private static let markSent = Statement(
    "resetMail.sent", "UPDATE password_resets SET next_attempt_at = NULL WHERE id = $1")
}
