import Postgres

/// Deletes what is kept for a time only, a bounded number of rows at a time.
struct Expiry {
  /// The most rows that one statement deletes, so that none holds others up for long.
  static let batchRows = 5_000

  /// How long buckets of five minutes are kept: at least as long as what they are made from.
  private let bucketDays: Int

  init(_ readings: Configuration.Readings) { bucketDays = max(readings.fiveMinuteDays, readings.rawDays + 1) }

  var duty: Duty {
    Duty(name: "expiry", intervalSeconds: 600, timeoutMilliseconds: 60_000) { try await run($0) }
  }

  /// Deletes some of what has expired; gives whether there may be more.
  func run(_ transaction: Transaction) async throws -> Bool {
    let deleted = [
      try await transaction.execute(Self.buckets, bucketDays, Self.batchRows),
      try await transaction.execute(Self.idempotencyKeys, Self.batchRows),
      try await transaction.execute(Self.sessions, Self.batchRows),
    ]
    return deleted.contains(Self.batchRows)
  }

  private static let buckets = Statement(
    "expiry.buckets",
    """
    DELETE FROM readings_5m WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM readings_5m WHERE start < now() - $1 * interval '1 day' LIMIT $2))
    """)

  private static let idempotencyKeys = Statement(
    "expiry.idempotencyKeys",
    """
    DELETE FROM idempotency_keys WHERE (user_id, key) IN (
      SELECT user_id, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1)
    """)

  /// Their refresh tokens go with them.
  private static let sessions = Statement(
    "expiry.sessions",
    """
    DELETE FROM sessions WHERE id IN (
      SELECT id FROM sessions WHERE expires_at < now() - interval '1 day' LIMIT $1)
    """)
}
