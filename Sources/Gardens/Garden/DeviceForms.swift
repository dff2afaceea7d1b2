import JSON
import Postgres
import Secrets
import Values
import Web

/// A device that is to be added.
package struct DeviceInput: JSONForm {
  /// The most devices of a garden.
  package static let maximumOfGarden = 10_000

  package let name: String
  package let sensorTypes: [String]
  package var timeZone: String?
  package let ground: Ground

  package init(_ fields: inout Fields) {
    name = fields.required("name", .name)
    sensorTypes = fields.optional("sensorTypes", .sensorTypes, "The only types that it takes; any by default.") ?? []
    timeZone = fields.optional("timeZone", .timeZone, GardenTimeZone.deviceText)
    ground = Ground(&fields)
  }

  /// A row of the table: a new device, with its garden, id, key and dates.
  package struct Row {
    package let id: Identifier
    package let garden: Identifier
    package let new: DeviceInput
    package let key: OpaqueKey
    package let createdAt: Timestamp
    package let updatedAt: Timestamp

    package init(
      id: Identifier, garden: Identifier, new: DeviceInput, key: OpaqueKey, createdAt: Timestamp, updatedAt: Timestamp
    ) {
      self.id = id
      self.garden = garden
      self.new = new
      self.key = key
      self.createdAt = createdAt
      self.updatedAt = updatedAt
    }
  }

  /// Adds devices to gardens that a user may edit, and returns their rows as `Device` reads them; none where the garden
  /// is not there, or not the user's to edit.
  @discardableResult
  package static func insert(
    _ rows: [Row], by user: Identifier, in transaction: Transaction
  ) async throws(PostgresError) -> Rows {
    try await transaction.query(
      insert, user, rows.map(\.id), rows.map(\.garden), rows.map(\.new.name),
      rows.map { $0.new.sensorTypes.joined(separator: " ") }, rows.map(\.key.digest), rows.map(\.createdAt),
      rows.map(\.updatedAt), rows.map(\.new.timeZone), rows.map(\.new.ground.soil?.rawValue),
      rows.map(\.new.ground.dryBelow), rows.map(\.new.ground.wetAbove))
  }

  /// Checked after `insert`, which has locked the garden.
  static let bound = ListBound(
    "devices.excess", of: "devices WHERE garden_id = $1 ORDER BY id DESC", atMost: maximumOfGarden,
    "This garden has \(maximumOfGarden) devices already. Delete one first.")

  /// Locks the gardens, so that of two transactions at once, neither of which sees the other's devices, one waits.
  /// Names of sensor types have no space in them.
  private static let insert = Statement(
    "devices.insert",
    """
    INSERT INTO devices
      (id, garden_id, name, sensor_types, key_hash, created_at, updated_at, time_zone, soil, dry_below, wet_above)
    SELECT d.id, gardens.id, d.name, string_to_array(types, ' '), key, created, updated, zone, d.soil, dry, wet
    FROM unnest(
      $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::timestamptz[], $8::timestamptz[], $9::text[],
      $10::text[], $11::float8[], $12::float8[])
      AS d (id, garden, name, types, key, created, updated, zone, soil, dry, wet)
    JOIN gardens ON gardens.id = garden
    WHERE \(GardenRole.editor.isHeld(by: "$1")) FOR NO KEY UPDATE OF gardens
    RETURNING \(Device.columns)
    """)
}

/// A change of a device.
struct DeviceChange: JSONForm {
  let name: String?
  let sensorTypes: Patch<[String]>
  let timeZone: Patch<String>
  let ground: GroundChange

  init(_ fields: inout Fields) {
    name = fields.change("name", .name)
    sensorTypes = fields.patch("sensorTypes", .sensorTypes)
    timeZone = fields.patch("timeZone", .timeZone, GardenTimeZone.deviceText)
    ground = GroundChange(&fields)
  }

  /// Applies the change to `before`, whose row the transaction has locked, and returns the device as it is then.
  func write(over before: Device, at now: Timestamp, in transaction: Transaction) async throws -> Device {
    let ground = try ground.applied(to: before.ground)
    let zone = try await GardenTimeZone.settled(timeZone, before: before.timeZone, in: transaction)
    let rows = try await transaction.query(
      Self.update, before.id, name ?? before.name, sensorTypes.applied(to: before.sensorTypes) ?? [], now, zone,
      ground.soil?.rawValue, ground.dryBelow, ground.wetAbove)
    return try Device(rows[0], now: now)
  }

  private static let update = Statement(
    "devices.update",
    """
    UPDATE devices SET name = $2, sensor_types = $3, updated_at = greatest($4, updated_at + interval '1 ms'),
      time_zone = $5, soil = $6, dry_below = $7, wet_above = $8
    WHERE id = $1 RETURNING \(Device.columns)
    """)
}
