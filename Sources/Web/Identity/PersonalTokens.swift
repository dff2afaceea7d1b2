import Postgres
import Reactor
import Redis
import Secrets
import Values

/// Knows whose a personal access token is and what for: a short-lived memory of one loop, in front of SQL.
package final class PersonalTokens: CredentialMemory {
  /// How long a loop believes what it knows, in nanoseconds.
  static let lifetimeNanoseconds: UInt64 = 4_000_000_000
  /// The most tokens that a loop remembers.
  static let maximumTokens = 20_000
  /// How old a token's time of last use may be before a use stores it again, in milliseconds.
  static let useMilliseconds: Int64 = 60_000

  /// Called with a token that is reported to have ended, on whatever loop or replica.
  package var onEnd: (Identifier) -> Void = { _ in }

  let loop: EventLoop
  private let database: Database
  private let redis: RedisClient
  private let prefix: String
  var known = ShortMemory<[UInt8], Holder?>(lifetimeNanoseconds: lifetimeNanoseconds, capacity: maximumTokens)

  /// The user that a token was given to, and what it is for.
  struct Holder {
    let token: Identifier
    let user: Identifier
    let scopes: [TokenScope]
    let expiresAt: Timestamp?
  }

  init(loop: EventLoop, database: Database, redis: RedisClient, prefix: String) {
    self.loop = loop
    self.database = database
    self.redis = redis
    self.prefix = prefix
  }

  /// The holder of the token with `digest`; nil when there is none, it has ended or its user is disabled.
  func holder(of digest: [UInt8], at now: Timestamp) async throws -> Holder? {
    let holder = try await remembered(digest) {
      try await database.query(Self.byHash, digest).first.map { try read($0, at: now) }
    }
    return holder.flatMap { holder in holder.expiresAt.map { $0 > now } ?? true ? holder : nil }
  }

  private func read(_ row: Row, at now: Timestamp) throws -> Holder {
    var columns = row.columns
    let (token, user) = (try columns.next(Identifier.self), try columns.next(Identifier.self))
    let scopes = try columns.next([String].self).compactMap { TokenScope(rawValue: $0) }
    let holder = Holder(token: token, user: user, scopes: scopes, expiresAt: try columns.next())
    let lastUsed = try columns.next(Timestamp?.self)
    if lastUsed.map({ $0.advanced(byMilliseconds: Self.useMilliseconds) < now }) ?? true {
      // If this fails, the next use stores it.
      loop.spawn { [self] in _ = try? await database.execute(Self.noteUse, token, now) }
    }
    return holder
  }

  /// Forgets what this loop knows of tokens that are reported to have ended.
  func forget(_ tokens: Set<Identifier>) {
    known.forget { $0.map { tokens.contains($0.token) } ?? false }
    for token in tokens { onEnd(token) }
  }

  /// Called after the COMMIT that ended tokens: forgets and announces them.
  package func ended(_ tokens: [Identifier]) async {
    guard !tokens.isEmpty else { return }
    let ended = Set(tokens)
    known.forget { $0.map { ended.contains($0.token) } ?? false }
    // Only a hint: what other loops remember expires by itself.
    _ = try? await redis.pipeline(Announcements.commands(.token, tokens, prefix: prefix))
  }

  private static let byHash = Statement(
    "tokens.byHash",
    """
    SELECT t.id, t.user_id, t.scopes, t.expires_at, t.last_used_at
    FROM personal_tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = $1 AND NOT u.disabled
    """)
  private static let noteUse = Statement(
    "tokens.noteUse", "UPDATE personal_tokens SET last_used_at = greatest($2, last_used_at) WHERE id = $1")
}
