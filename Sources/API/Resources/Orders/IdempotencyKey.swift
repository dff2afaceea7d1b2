import HTTP
import Postgres
import Values

/// What makes a request that is sent again the same request: the `Idempotency-Key` of one user.
struct IdempotencyKey {
  /// The longest key, in Unicode scalars.
  static let maximumLength = 255
  /// How long an answer is kept for its key, in milliseconds.
  static let lifetimeMilliseconds: Int64 = 86_400_000

  private let text: String
  private let user: Identifier
  /// Bodies are the same when their bytes are.
  let bodyHash: [UInt8]

  /// An answer that was given to the same request before.
  struct Answer {
    let status: Status
    let location: String
    let body: [UInt8]
  }

  /// Reads the key of a user's request; throws 400 when there is none, or no good one.
  init(_ request: Request, user: Identifier) throws {
    guard request.headerCount("Idempotency-Key") > 0 else {
      throw Problem(.idempotencyKeyMissing, "Send an Idempotency-Key, so that this can be sent again safely.")
    }
    guard request.headerCount("Idempotency-Key") == 1,
      let text = request.withHeader("Idempotency-Key", { String(validating: $0, as: UTF8.self) }) ?? nil,
      (1...Self.maximumLength).contains(text.unicodeScalars.count)
    else {
      throw Problem(.malformed, "Send one Idempotency-Key of 1 to \(Self.maximumLength) characters.")
    }
    self.text = text
    self.user = user
    bodyHash = Digest.sha256(request.body)
  }

  /// Keeps all others with the same key out until the transaction ends; throws 409 while another one has it.
  func claim(in transaction: Transaction) async throws {
    let rows = try await transaction.query(Self.lock, "\(user) \(text)")
    guard let row = rows.first, try row.decode(Bool.self, 0) else {
      throw Problem(.inProgress, "A request with this Idempotency-Key is being served. Ask again soon.")
    }
  }

  /// The answer that was given to this key, if any; throws 422 when that request had another body. Only after `claim`,
  /// and in a statement of its own: the snapshot must be younger than the claim.
  func answer(in transaction: Transaction, at now: Timestamp) async throws -> Answer? {
    let since = now.advanced(byMilliseconds: -Self.lifetimeMilliseconds)
    guard let row = try await transaction.query(Self.find, user, text, since).first else { return nil }
    guard try row.decode([UInt8].self, 0) == bodyHash else {
      throw Problem(.idempotencyKeyReused, "This Idempotency-Key was sent with another body before.")
    }
    return Answer(
      status: Status(rawValue: UInt16(try row.decode(Int16.self, 1))), location: try row.decode(String.self, 2),
      body: try row.decode([UInt8].self, 3))
  }

  /// Keeps the answer to this key, to be there once the transaction is committed.
  func keep(_ answer: Answer, in transaction: Transaction, at now: Timestamp) async throws {
    try await transaction.execute(
      Self.insert, user, text, bodyHash, Int16(answer.status.rawValue), answer.location, answer.body, now)
  }

  // MARK: SQL

  /// Keys are kept for 24 hours.
  static var expiry: Expiry { Expiry { try await $0.execute(deleteOld, $1) } }
  private static let deleteOld = Statement(
    "expiry.idempotencyKeys",
    """
    DELETE FROM idempotency_keys WHERE (user_id, key) IN (
      SELECT user_id, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1)
    """)

  private static let lock = Statement(
    "idempotency.claim", "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
  private static let find = Statement(
    "idempotency.find",
    """
    SELECT body_hash, status, location, body FROM idempotency_keys
    WHERE user_id = $1 AND key = $2 AND created_at > $3
    """)
  // What is there already is too old to count, or it would have been found.
  private static let insert = Statement(
    "idempotency.keep",
    """
    INSERT INTO idempotency_keys (user_id, key, body_hash, status, location, body, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (user_id, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status,
      location = excluded.location, body = excluded.body, created_at = excluded.created_at
    """)
}
