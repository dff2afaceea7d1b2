import Postgres
import Reactor
import Redis
import Values

/// Knows which device a key opens: a short memory of the loop's own over SQL.
final class DeviceKeys {
  /// How long a loop believes what it knows, in nanoseconds.
  static let lifetimeNanoseconds: UInt64 = 4_000_000_000
  /// The most keys that a loop remembers.
  static let maximumKeys = 20_000

  private let loop: EventLoop
  private let database: Database
  private let redis: RedisClient
  private let prefix: String
  private var known: [[UInt8]: (device: DeviceIdentity?, until: UInt64)] = [:]

  init(loop: EventLoop, database: Database, redis: RedisClient, prefix: String) {
    self.loop = loop
    self.database = database
    self.redis = redis
    self.prefix = prefix
  }

  /// The device that a key opens, nil when it opens none, or no longer.
  func device(_ key: OpaqueKey) async throws -> DeviceIdentity? {
    if let entry = known[key.digest], entry.until > loop.now { return entry.device }
    let rows = try await database.query(Self.byKey, key.digest)
    let device = try rows.first.map { row in
      DeviceIdentity(id: try row.decode(Identifier.self, 0), garden: try row.decode(Identifier.self, 1))
    }
    if known.count >= Self.maximumKeys { known.removeAll(keepingCapacity: true) }
    known[key.digest] = (device, loop.now + Self.lifetimeNanoseconds)
    return device
  }

  /// Forgets what this loop knows of a device's keys.
  func forget(_ device: Identifier) { known = known.filter { $0.value.device?.id != device } }

  /// Forgets what this loop knows of all keys.
  func forgetAll() { known.removeAll() }

  /// To be called after the COMMIT that changed or took away keys of a device.
  func changed(_ device: Identifier) async {
    forget(device)
    _ = try? await redis.publish(Announcements.channel(prefix), Array("device \(device)".utf8))
  }

  private static let byKey = Statement(
    "devices.byKey",
    """
    SELECT id, garden_id FROM devices WHERE key_hash = $1
    UNION ALL
    SELECT id, garden_id FROM devices WHERE previous_key_hash = $1 AND previous_key_expires_at > now()
    """)
}
