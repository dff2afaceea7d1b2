import Postgres
import Reactor
import Redis
import Secrets
import Values

/// Knows which device a key opens: a short-lived memory of one loop, in front of SQL.
package final class DeviceKeys: CredentialMemory {
  /// How long a loop believes what it knows, in nanoseconds.
  static let lifetimeNanoseconds: UInt64 = 4_000_000_000
  /// The most keys that a loop remembers.
  static let maximumKeys = 20_000

  let loop: EventLoop
  private let database: Database
  private let redis: RedisClient
  private let prefix: String
  var known = ShortMemory<[UInt8], Holder?>(lifetimeNanoseconds: lifetimeNanoseconds, capacity: maximumKeys)

  /// The device that a key was given to.
  struct Holder {
    let device: DeviceIdentity
    /// Whether the account of the device's owner is disabled.
    let isDisabled: Bool
  }

  init(loop: EventLoop, database: Database, redis: RedisClient, prefix: String) {
    self.loop = loop
    self.database = database
    self.redis = redis
    self.prefix = prefix
  }

  /// The device that a key was given to, nil when there is none, or no longer.
  func holder(of key: OpaqueKey) async throws -> Holder? {
    try await remembered(key.digest) {
      try await database.query(Self.byKey, key.digest).first.map { row in
        Holder(
          device: DeviceIdentity(
            id: try row.decode(Identifier.self, 0), garden: try row.decode(Identifier.self, 1),
            sensorTypes: try row.decode([String].self, 2)),
          isDisabled: try row.decode(Bool.self, 3))
      }
    }
  }

  /// Forgets what this loop knows of the keys of devices.
  func forget(_ devices: Set<Identifier>) {
    known.forget { $0.map { devices.contains($0.device.id) } ?? false }
  }

  /// Called after the COMMIT that changed or deleted devices, or changed what their keys open: forgets and announces
  /// them.
  package func changed(_ devices: [Identifier]) async {
    guard !devices.isEmpty else { return }
    forget(Set(devices))
    // Only a hint: what other loops remember expires by itself.
    _ = try? await redis.pipeline(Announcements.commands(.device, devices, prefix: prefix))
  }

  private static let byKey = Statement(
    "devices.byKey",
    """
    SELECT d.id, d.garden_id, d.sensor_types, u.disabled
    FROM (
      SELECT id, garden_id, sensor_types FROM devices WHERE key_hash = $1
      UNION ALL
      SELECT id, garden_id, sensor_types FROM devices WHERE previous_key_hash = $1 AND previous_key_expires_at > now()
    ) d JOIN gardens g ON g.id = d.garden_id JOIN users u ON u.id = g.owner_id
    """)
}
