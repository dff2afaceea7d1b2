import Postgres
import Reactor
import Secrets
import Values

/// Knows which session a browser's key opens: a short-lived memory of one loop, in front of SQL.
///
/// That never changes, so nothing is announced; whether the session is alive, `SessionDirectory` knows.
final class SessionKeys: CredentialMemory {
  /// How long a loop believes what it knows, in nanoseconds. It also bounds how often a session is renewed.
  static let lifetimeNanoseconds: UInt64 = 60_000_000_000
  /// The most keys that a loop remembers.
  static let maximumKeys = 20_000

  let loop: EventLoop
  private let database: Database
  /// How long a session lives from its last use on.
  private let sessionDays: Int32
  var known = ShortMemory<[UInt8], Holder?>(lifetimeNanoseconds: lifetimeNanoseconds, capacity: maximumKeys)

  /// What a key opens.
  struct Holder {
    let session: Identifier
    let user: Identifier
  }

  init(loop: EventLoop, database: Database, sessionDays: Int32) {
    self.loop = loop
    self.database = database
    self.sessionDays = sessionDays
  }

  /// The user who has a key; nil when it opens nothing, or a session that is over.
  func holder(of key: OpaqueKey, in sessions: SessionDirectory) async throws -> UserIdentity? {
    guard let holder = try await remembered(key.digest, orAsk: { try await stored(key) }),
      let role = try await sessions.role(session: holder.session, user: holder.user)
    else { return nil }
    return UserIdentity(id: holder.user, session: holder.session, isAdministrator: role == .admin)
  }

  /// Returns what a key opens, and renews its session, so that one that is used does not expire.
  private func stored(_ key: OpaqueKey) async throws -> Holder? {
    guard let row = try await database.query(Self.byKey, key.digest).first else { return nil }
    let (session, user, isStale) = try row.decode((Identifier.self, Identifier.self, Bool.self))
    // If this fails, the next look-up renews it.
    if isStale { _ = try? await database.execute(Self.renew, session, sessionDays) }
    return Holder(session: session, user: user)
  }

  private static let byKey = Statement(
    "sessionKeys.holder",
    """
    SELECT sessions.id, user_id, last_used_at < now() - interval '1 hour'
    FROM session_keys JOIN sessions ON sessions.id = session_id WHERE hash = $1
    """)
  private static let renew = Statement(
    "sessionKeys.renew",
    """
    UPDATE sessions SET last_used_at = now(), expires_at = now() + $2 * interval '1 day'
    WHERE id = $1 AND revoked_at IS NULL AND expires_at > now()
    """)
}
