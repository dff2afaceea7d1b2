import Postgres
import Reactor
import Redis
import Values

/// Knows which sessions are alive: a short memory of the loop's own, over Redis, over SQL.
///
/// A session that ends is announced to all loops at once. Should the announcement be lost, the memories' ages together
/// stay below the five seconds within which a token must die.
final class SessionDirectory {
  /// How long a loop believes what it knows, in nanoseconds.
  static let localLifetimeNanoseconds: UInt64 = 2_000_000_000
  /// How long Redis keeps what SQL said, in milliseconds.
  static let sharedLifetimeMilliseconds: Int64 = 2_500
  /// The most sessions that a loop remembers.
  static let maximumSessions = 20_000

  private let loop: EventLoop
  private let database: Database
  private let redis: RedisClient
  private let prefix: String
  private var known: [Identifier: (user: Identifier, role: Role?, until: UInt64)] = [:]

  init(loop: EventLoop, database: Database, redis: RedisClient, prefix: String) {
    self.loop = loop
    self.database = database
    self.redis = redis
    self.prefix = prefix
  }

  /// The role of a session's user; nil when the session is over, the user is disabled, or it is another user's.
  func role(session: Identifier, user: Identifier) async throws -> Role? {
    if let entry = known[session], entry.until > loop.now { return entry.user == user ? entry.role : nil }
    let role = try await sharedRole(session, user)
    if known.count >= Self.maximumSessions { known.removeAll(keepingCapacity: true) }
    known[session] = (user, role, loop.now + Self.localLifetimeNanoseconds)
    return role
  }

  /// Forgets what this loop knows of a session.
  func forget(_ session: Identifier) { known[session] = nil }

  /// Forgets what this loop knows of all sessions.
  func forgetAll() { known.removeAll() }

  /// To be called after the COMMIT that ended sessions: no memory may go on believing in them.
  func ended(_ sessions: [Identifier]) async {
    guard !sessions.isEmpty else { return }
    for session in sessions { known[session] = nil }
    let commands = sessions.flatMap { session -> [[RedisArgument]] in
      [
        ["SET", .text(key(session)), "-", "PX", .integer(2 * Self.sharedLifetimeMilliseconds)],
        ["PUBLISH", .text(Announcements.channel(prefix)), .text("session \(session)")],
      ]
    }
    // Without Redis the memories' ages are the bound.
    _ = try? await redis.pipeline(commands)
  }

  private func key(_ session: Identifier) -> String { "\(prefix)session:\(session)" }

  private func sharedRole(_ session: Identifier, _ user: Identifier) async throws -> Role? {
    let text = try? await redis.get(key(session))
    if let text { return Self.decode(text, user) }
    let role = try await storedRole(session, user)
    let value = role.map { "\($0.rawValue) \(user)" } ?? "-"
    // Only if absent: an end that was announced meanwhile must stand.
    _ = try? await redis.set(
      key(session), Array(value.utf8), expiry: .milliseconds(Self.sharedLifetimeMilliseconds), onlyIfAbsent: true)
    return role
  }

  private static func decode(_ bytes: [UInt8], _ user: Identifier) -> Role? {
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard parts.count == 2, Identifier(parts[1]) == user else { return nil }
    return Role(rawValue: String(parts[0]))
  }

  private static let byID = Statement(
    "sessions.role",
    """
    SELECT users.role FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE sessions.id = $1 AND users.id = $2 AND NOT users.disabled
      AND sessions.revoked_at IS NULL AND sessions.expires_at > now()
    """)

  private func storedRole(_ session: Identifier, _ user: Identifier) async throws -> Role? {
    let rows = try await database.query(Self.byID, session, user)
    guard let row = rows.first else { return nil }
    return Role(rawValue: try row.decode(String.self, 0))
  }
}
