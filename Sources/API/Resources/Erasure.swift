import Postgres
import Values

/// The end of an account: everything owned goes; what others need of it stays without its name.
struct Erasure {
  /// Readings of years may have to go, in milliseconds.
  static let timeoutMilliseconds = 120_000

  let services: Services

  /// Erases a user in one transaction; throws 409 while there are open orders on either side.
  func erase(_ user: Identifier) async throws {
    let (sessions, gardens, devices, businesses, products) = try await services.database.transaction(
      timeoutMilliseconds: Self.timeoutMilliseconds
    ) { transaction in
      // Locked, so that no order is placed with a business of theirs meanwhile.
      try await transaction.execute(Self.lock, user)
      try await transaction.execute(Self.lockBusinesses, user)
      guard try await transaction.query(Self.openOrders, user).isEmpty else {
        throw Problem(.openOrders, "There are open orders. Cancel, deliver or refund them first.")
      }
      let sessions = try await transaction.query(Self.sessions, user).map { try $0.decode(Identifier.self, 0) }
      let gardens = try await transaction.query(Self.gardens, user).map { try $0.decode(Identifier.self, 0) }
      let devices = try await transaction.query(Self.devices, user).map { try $0.decode(Identifier.self, 0) }
      try await Self.deleteReadings(of: devices, in: transaction)
      let businesses = try await transaction.query(Self.closeBusinesses, user).map { try $0.decode(Identifier.self, 0) }
      let products = try await transaction.query(Self.deleteProducts, businesses).map {
        try $0.decode(Identifier.self, 0)
      }
      try await transaction.execute(Self.delete, user)
      return (sessions, gardens, devices, businesses, products)
    }
    await services.sessions.ended(sessions)
    for device in devices { await services.deviceKeys.changed(device) }
    await services.cache.invalidate(
      ["businesses"] + businesses.flatMap { ["business:\($0)", "products:\($0)"] } + products.map { "product:\($0)" })
    await Gardens(services: services).changed(gardens)
  }

  /// Deletes everything that was measured by devices that are about to go.
  static func deleteReadings(of devices: [Identifier], in transaction: Transaction) async throws {
    if devices.isEmpty { return }
    for statement in readings { try await transaction.execute(statement, devices) }
  }

  private static let lock = Statement("erasure.lock", "SELECT 1 FROM users WHERE id = $1 FOR UPDATE")
  private static let lockBusinesses = Statement(
    "erasure.lockBusinesses", "SELECT 1 FROM businesses WHERE owner_id = $1 FOR UPDATE")
  private static let openOrders = Statement(
    "erasure.openOrders",
    """
    SELECT 1 FROM orders WHERE status IN ('pending', 'paid', 'preparing', 'shipped')
      AND (buyer_id = $1 OR business_id IN (SELECT id FROM businesses WHERE owner_id = $1)) LIMIT 1
    """)
  private static let sessions = Statement("erasure.sessions", "SELECT id FROM sessions WHERE user_id = $1")
  private static let gardens = Statement("erasure.gardens", "SELECT id FROM gardens WHERE owner_id = $1 FOR UPDATE")
  private static let devices = Statement(
    "erasure.devices",
    """
    SELECT devices.id FROM devices JOIN gardens ON gardens.id = devices.garden_id WHERE gardens.owner_id = $1
    ORDER BY devices.id FOR UPDATE OF devices
    """)
  // The rollup drops by itself what is queued for a device that is gone: waiting for its queue while holding the
  // device, for which the rollup waits, would go on for ever.
  private static let readings = ["readings", "readings_5m", "readings_1h"].map { table in
    Statement("erasure.\(table)", "DELETE FROM \(table) WHERE device_id = ANY ($1)")
  }
  // A business stays as a bare row, for the orders of others.
  private static let closeBusinesses = Statement(
    "erasure.closeBusinesses",
    """
    UPDATE businesses SET owner_id = NULL, name = '(erased)', description = NULL, latitude = NULL, longitude = NULL,
      deleted_at = coalesce(deleted_at, now())
    WHERE owner_id = $1 RETURNING id
    """)
  private static let deleteProducts = Statement(
    "erasure.deleteProducts", "DELETE FROM products WHERE business_id = ANY ($1) RETURNING id")
  private static let delete = Statement("erasure.delete", "DELETE FROM users WHERE id = $1")
}
