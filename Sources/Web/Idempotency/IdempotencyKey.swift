import HTTP
import Postgres
import Secrets
import Values

/// The `Idempotency-Key` of one user's request, by which a retry is known for the same request.
///
/// The claim of the key, what is made and the answer are committed together, so that there is all of it or nothing.
package struct IdempotencyKey {
  /// The longest key, in Unicode scalars.
  static let maximumLength = 255
  /// How long an answer is kept for its key, in milliseconds.
  static let lifetimeMilliseconds = Timestamp.millisecondsPerDay

  private let text: String
  private let user: Identifier
  /// The hash of what the request asks for: two requests with one hash are the same.
  private(set) var requestHash: [UInt8]
  /// The hashes of other ways to send the same request.
  private let otherHashes: [[UInt8]]
  private let seal: Seal

  /// Reads the key of a user's request; nil without one. Throws 400 for one that is malformed.
  ///
  /// `content` is what the request asks for beside its user: the bytes of its target and body. `alike` are contents
  /// that ask for the same: what was made for one of them was made for this request.
  package init?(
    _ request: Request, user: Identifier, content: [UInt8], alike: [[UInt8]] = [], seal: Seal
  ) throws {
    guard request.headerCount("Idempotency-Key") > 0 else { return nil }
    guard request.headerCount("Idempotency-Key") == 1,
      let text = request.withHeader("Idempotency-Key", { String(validating: $0, as: UTF8.self) }) ?? nil,
      (1...Self.maximumLength).contains(text.unicodeScalars.count)
    else {
      throw Problem(.malformed, "Send one Idempotency-Key of 1 to \(Self.maximumLength) characters.")
    }
    self.text = text
    self.user = user
    requestHash = Digest.sha256(content)
    otherHashes = alike.map { Digest.sha256($0) }
    self.seal = seal
  }

  /// This key with the digest of the content, for a request that was streamed: when its key was read, its body had not
  /// come yet.
  package func forContent(_ digest: RunningDigest?) -> IdempotencyKey {
    var key = self
    if let digest { key.requestHash = digest.value }
    return key
  }

  /// Whether something was made for this key, by whatever request.
  package func isUsed(in database: Database, at now: Timestamp) async throws -> Bool {
    try await !database.query(Self.find, user, text, since(now)).isEmpty
  }

  /// Whether something was made for this key, asked under the claim, so that the answer stays true until the
  /// transaction ends.
  package func isUsed(in transaction: Transaction, at now: Timestamp) async throws -> Bool {
    try await !transaction.query(Self.find, user, text, since(now)).isEmpty
  }

  /// Keeps other requests with the same key out until the transaction ends; throws 409 while one of them has it.
  package func claim(in transaction: Transaction) async throws {
    let rows = try await transaction.query(Self.lock, lockKey)
    guard let row = rows.first, try row.decode(Bool.self, 0) else {
      throw Self.inProgress
    }
  }

  /// What the claim locks. Of a digest for which nobody finds a text: Postgres' own hashes can be inverted, and a user
  /// could choose a key that locks what belongs to others, such as a device's hours or all migrations.
  private var lockKey: Int64 {
    Digest.sha256(Array("\(user) \(text)".utf8)).withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
  }

  package static var inProgress: Problem {
    Problem(.inProgress, "A request with this Idempotency-Key is still being served. Try again soon.")
  }

  /// Returns what was made for this key, if anything; throws 422 when another request made it. Call it after `claim`,
  /// in a statement of its own: its snapshot must be younger than the claim.
  func made(in transaction: Transaction, at now: Timestamp) async throws -> Made? {
    try made(try await transaction.query(Self.find, user, text, since(now)))
  }

  /// Returns what was made for this key, if anything, without a claim: for what takes long to make.
  package func made(in database: Database, at now: Timestamp) async throws -> Made? {
    try made(try await database.query(Self.find, user, text, since(now)))
  }

  private func since(_ now: Timestamp) -> Timestamp { now.advanced(byMilliseconds: -Self.lifetimeMilliseconds) }

  private func made(_ rows: Rows) throws -> Made? {
    guard let row = rows.first else { return nil }
    let madeFor = try row.decode([UInt8].self, 0)
    guard madeFor == requestHash || otherHashes.contains(madeFor) else {
      throw Problem(.idempotencyKeyReused, "This Idempotency-Key was already sent with a different request.")
    }
    let (_, status, location, body, isSealed) = try row.decode(
      ([UInt8].self, Int16.self, String.self, [UInt8].self, Bool.self))
    guard let text = isSealed ? seal.open(body) : body else {
      throw Problem(.conflict, "This was done, but its answer cannot be shown again: the server's secret has changed.")
    }
    return Made(
      status: Status(rawValue: UInt16(status)), location: location.isEmpty ? nil : location, body: text,
      isSecret: isSealed)
  }

  /// Stores what was made for this key, in the same transaction; a secret is sealed. Throws 409 when something was made
  /// for it meanwhile: the previous release claims keys by another lock.
  package func keep(_ made: Made, in transaction: Transaction, at now: Timestamp) async throws {
    let kept = try await transaction.execute(
      Self.insert, user, text, requestHash, Int16(made.status.rawValue), made.location ?? "",
      made.isSecret ? seal.seal(made.body) : made.body, now, made.isSecret, since(now))
    if kept == 0 { throw Self.inProgress }
  }

  // MARK: SQL

  /// Keys are kept for 24 hours.
  package static let expiry = Expiry(
    "expiry.idempotencyKeys", from: "idempotency_keys", where: "created_at < now() - interval '24 hours'")

  private static let lock = Statement("idempotency.claim", "SELECT pg_try_advisory_xact_lock($1)")
  private static let find = Statement(
    "idempotency.find",
    """
    SELECT body_hash, status, location, body, sealed FROM idempotency_keys
    WHERE user_id = $1 AND key = $2 AND created_at > $3
    """)
  // A row in conflict is too old to count, or `find` would have found it, unless it was made meanwhile.
  private static let insert = Statement(
    "idempotency.keep",
    """
    INSERT INTO idempotency_keys (user_id, key, body_hash, status, location, body, created_at, sealed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (user_id, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status,
      location = excluded.location, body = excluded.body, created_at = excluded.created_at, sealed = excluded.sealed
    WHERE idempotency_keys.created_at <= $9
    """)
}

extension Endpoint.Parameter {
  /// The header of a request that may be sent again.
  package static func idempotencyKey(isRequired: Bool = false) -> Self {
    .header(
      "Idempotency-Key", .string(minLength: 1, maxLength: IdempotencyKey.maximumLength),
      """
      Identifies this request, such as a UUID: a repetition with the same key gets the same answer and is not served \
      again.
      """,
      required: isRequired)
  }
}
