import Postgres
import Values
import Web

/// Bounds the messages that users can cause at once: tests, and mails that ask for confirmation. They are counted apart
/// from channels, which can be deleted and made anew.
enum MessageAllowance {
  /// The most test messages of a user in an hour.
  static let testsPerHour = 10
  /// The most confirmation mails of a user in a day.
  static let confirmationsPerDay = 10
  /// The most confirmation mails to one address in a day: of one user, and of all, so that no user takes up the others'
  /// share.
  static let confirmationsOfAddressPerDay = (user: 3, all: 10)

  /// Counts a test message; throws 429 after too many. The caller has locked the user.
  static func takeTest(_ user: Identifier, in transaction: Transaction) async throws {
    if try await transaction.execute(addTest, user, testsPerHour) == 1 { return }
    throw Problem(
      .tooManyRequests, "You may send \(testsPerHour) test messages in an hour.", retryAfterSeconds: 600)
  }

  /// Counts a confirmation mail; throws 429 after too many. The caller has locked the user.
  static func takeConfirmation(_ user: Identifier, to address: String, in transaction: Transaction) async throws {
    let key = address.asciiLowercased
    try await transaction.execute(lockAddress, key)
    let taken = try await transaction.execute(
      addConfirmation, user, key, confirmationsPerDay, confirmationsOfAddressPerDay.user,
      confirmationsOfAddressPerDay.all)
    if taken == 1 { return }
    throw Problem(
      .tooManyRequests, "Too many confirmation codes were sent today, to this address or for your account.",
      retryAfterSeconds: 3_600)
  }

  // MARK: SQL

  private static let addTest = Statement(
    "channels.addTest",
    """
    INSERT INTO channel_requests (user_id, type)
    SELECT $1, 'test' WHERE (
      SELECT count(*) FROM channel_requests
      WHERE user_id = $1 AND type = 'test' AND created_at > now() - interval '1 hour') < $2
    """)
  private static let lockAddress = Statement(
    "channels.lockAddress", "SELECT pg_advisory_xact_lock(hashtextextended('channel to ' || $1, 0))")
  private static let addConfirmation = Statement(
    "channels.addConfirmation",
    """
    INSERT INTO channel_requests (user_id, type, address_digest)
    SELECT $1, 'confirmation', sha256(convert_to($2, 'UTF8'))
    WHERE (
      SELECT count(*) FROM channel_requests
      WHERE user_id = $1 AND type = 'confirmation' AND created_at > now() - interval '1 day') < $3
      AND (
      SELECT count(*) FILTER (WHERE user_id = $1) < $4 AND count(*) < $5 FROM channel_requests
      WHERE address_digest = sha256(convert_to($2, 'UTF8')) AND created_at > now() - interval '1 day')
    """)
  /// Rows that no bound counts any more are deleted.
  static let expiry = Expiry(
    "expiry.channelRequests", from: "channel_requests", where: "created_at < now() - interval '1 day'",
    orderBy: "created_at")
}
