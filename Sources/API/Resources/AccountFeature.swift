import Postgres
import Values

/// Accounts and their sessions, on one loop.
struct AccountFeature: Feature {
  let services: Services
  /// Where users own things.
  let others: [any Feature]
  private let throttle: LoginThrottle

  init(_ services: Services, others: [any Feature]) {
    self.services = services
    self.others = others
    throttle = LoginThrottle(
      redis: services.redis, loop: services.loop, prefix: services.configuration.redis.keyPrefix)
  }

  var endpoints: [Endpoint] {
    let groups: [any EndpointGroup] = [
      Users(services: services, throttle: throttle, erasure: Erasure(services: services, features: others + [self])),
      Sessions(services: services, throttle: throttle),
      Administration(services: services),
    ]
    return groups.flatMap(\.endpoints)
  }

  var duties: [Duty] { [] }

  var expiries: [Expiry] { [Self.sessionExpiry] }

  /// Refresh tokens go with their sessions.
  static var sessionExpiry: Expiry { Expiry { try await $0.execute(deleteSessions, $1) } }

  func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] {
    [
      ExportPart(kind: "profile", sql: "SELECT \(unescaped: Profile.columns) FROM users WHERE id = \(user)") {
        row, json in try Profile(row).write(&json)
      }
    ]
  }

  /// All sessions end; the account itself is the erasure's.
  func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit {
    let ended = try await transaction.query(Self.sessions, user).map { try $0.decode(Identifier.self, 0) }
    return { await services.sessions.ended(ended) }
  }

  func close() {}

  private static let sessions = Statement("erasure.sessions", "SELECT id FROM sessions WHERE user_id = $1")
  private static let deleteSessions = Statement(
    "expiry.sessions",
    """
    DELETE FROM sessions WHERE id IN (
      SELECT id FROM sessions WHERE expires_at < now() - interval '1 day' LIMIT $1)
    """)
}
