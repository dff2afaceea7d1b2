import Postgres
import Reactor
import Redis
import Secrets
import Values

/// Knows which sessions are alive: a short-lived memory of one loop, in front of Redis, in front of SQL.
///
/// The end of a session is announced to all loops at once. If the announcement is lost, the lifetimes of the two
/// memories together stay below the five seconds within which a token must die.
package final class SessionDirectory: CredentialMemory {
  /// How long a loop believes what it knows, in nanoseconds.
  static let localLifetimeNanoseconds: UInt64 = 2_000_000_000
  /// How long Redis keeps what SQL said, in milliseconds.
  static let sharedLifetimeMilliseconds: Int64 = 2_500
  /// The most sessions that a loop remembers.
  static let maximumSessions = 20_000

  /// Called with a session that is reported to have ended, on whatever loop or replica.
  package var onEnd: (Identifier) -> Void = { _ in }

  let loop: EventLoop
  private let database: Database
  private let redis: RedisClient
  private let prefix: String
  var known = ShortMemory<Identifier, Holder?>(
    lifetimeNanoseconds: localLifetimeNanoseconds, capacity: maximumSessions)

  /// Whose session it is. Remembered for whichever user a token names: a token that names another one must not change
  /// it.
  struct Holder {
    let user: Identifier
    let role: Role
  }

  init(loop: EventLoop, database: Database, redis: RedisClient, prefix: String) {
    self.loop = loop
    self.database = database
    self.redis = redis
    self.prefix = prefix
  }

  /// The role of a session's user; nil when the session is over, the user is disabled, or it is another user's.
  package func role(session: Identifier, user: Identifier) async throws -> Role? {
    let holder = try await remembered(session) { try await sharedHolder(of: session) }
    return holder?.user == user ? holder?.role : nil
  }

  /// The role of a session's user from the loop's memory; nil when a store has to be asked, and when there is none.
  func knownRole(session: Identifier, user: Identifier) -> Role? {
    guard let holder = known.value(of: session, at: loop.now) ?? nil, holder.user == user else { return nil }
    return holder.role
  }

  /// Forgets what this loop knows of a session that is reported to have ended.
  func forget(_ session: Identifier) {
    known.forget(session)
    onEnd(session)
  }

  /// Called after the COMMIT that ended sessions: no memory may take them for alive any longer.
  package func ended(_ sessions: [Identifier]) async {
    guard !sessions.isEmpty else { return }
    for session in sessions { known.forget(session) }
    let ends: [[RedisArgument]] = sessions.map {
      ["SET", .text(key($0)), "-", "PX", .integer(2 * Self.sharedLifetimeMilliseconds)]
    }
    // Without Redis, the lifetimes of the memories are the bound.
    _ = try? await redis.pipeline(ends + Announcements.commands(.session, sessions, prefix: prefix))
  }

  private func key(_ session: Identifier) -> String { "\(prefix)session:\(session)" }

  /// Returns the holder of a session from Redis or SQL. Redis keeps the text of SQL as it is, since another release may
  /// know more roles than this one.
  private func sharedHolder(of session: Identifier) async throws -> Holder? {
    if let text = try? await redis.get(key(session)) { return Self.decode(text) }
    let row = try await database.query(Self.byID, session).first
    let text = try row.map { try $0.decode([UInt8].self, 0) } ?? Array("-".utf8)
    // Only if absent: an end that was announced meanwhile must stand.
    _ = try? await redis.set(
      key(session), text, expiry: .milliseconds(Self.sharedLifetimeMilliseconds), onlyIfAbsent: true)
    return Self.decode(text)
  }

  private static func decode(_ bytes: [UInt8]) -> Holder? {
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard parts.count == 2, let user = Identifier(parts[1]) else { return nil }
    return Holder(user: user, role: Role(named: String(parts[0])))
  }

  private static let byID = Statement(
    "sessions.role",
    """
    SELECT users.role || ' ' || users.id FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE sessions.id = $1 AND NOT users.disabled
      AND sessions.revoked_at IS NULL AND sessions.expires_at > now()
    """)
}
