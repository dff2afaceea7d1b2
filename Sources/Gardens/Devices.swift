import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// The devices of a garden, and the keys by which they post their readings. All is for the garden's owner and members.
struct Devices: EndpointGroup {
  /// How long the old key works after a new one was made, in milliseconds.
  static let oldKeyMilliseconds: Int64 = 24 * 3_600_000

  let context: LoopContext
  private var access: GardenAccess { GardenAccess(context: context) }

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listDevices", method: .get, template: "/api/gardens/{id}/devices", access: .user,
        summary: "The devices of a garden",
        details: "The newest first.", tag: "Devices", parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "DevicePage", Device.schema), headers: ["ETag", "Link"]),
        handler: .async(list)),
      Endpoint(
        "createDevice", method: .post, template: "/api/gardens/{id}/devices", access: .user,
        summary: "Add a device to a garden",
        details: "Its key is shown in this answer only. A garden has at most \(NewDevice.maximumOfGarden) devices.",
        tag: "Devices", parameters: [.idempotencyKey()],
        body: .json(NewDevice.self, example: #"{"name":"Probe 7","sensorTypes":["soil_moisture","soil_temperature"]}"#),
        success: Endpoint.Success(201, Device.schemaWithKey, headers: ["Location"]), refusals: [.conflict],
        handler: .async(create)),
      Endpoint(
        "getDevice", method: .get, template: "/api/devices/{id}", access: .user, summary: "A device",
        details: Self.revisions, tag: "Devices",
        success: Endpoint.Success(200, Device.schema, headers: ["ETag"]),
        handler: .row(show)),
      Endpoint(
        "updateDevice", method: .patch, template: "/api/devices/{id}", access: .user,
        summary: "Change a device",
        details: Self.revisions, tag: "Devices",
        body: .mergePatch(DeviceChange.self, example: #"{"name":"Probe 7, by the shed"}"#),
        success: Endpoint.Success(200, Device.schema, headers: ["ETag"]),
        handler: .async(change)),
      Endpoint(
        "deleteDevice", method: .delete, template: "/api/devices/{id}", access: .user,
        summary: "Delete a device with its readings", tag: "Devices", success: Endpoint.Success(204),
        handler: .async(delete)),
      Endpoint(
        "rotateDeviceKey", method: .post, template: "/api/devices/{id}/key", access: .user,
        summary: "Make a new key for a device",
        details: "The old key works for 24 hours more, so that the device can be told; at most two keys work.",
        tag: "Devices",
        parameters: [.query("revoke", .boolean, "Whether all old keys end at once."), .idempotencyKey()],
        success: Endpoint.Success(
          200, .named("DeviceKey", .object([.required("key", .string())]), example: #"{"key":"tdk_…"}"#)),
        handler: .async(rotate)),
    ]
  }

  // MARK: Those of a garden

  private func list(_ call: Call) async throws -> Response {
    let garden = try call.identifier("id")
    let page = try call.identifierPage(try call.query(), list: "devices:\(garden)")
    try await access.require(.viewer, try call.user, of: garden)
    let rows = try await context.database.query(Self.byGarden, garden, page.before, page.rowLimit)
    return call.list(try page.body(call, rows) { try Device($0, now: call.now) })
  }

  private func create(_ call: Call) async throws -> Response {
    let (user, garden) = (try call.user, try call.identifier("id"))
    let new = try call.form(NewDevice.self)
    try await access.require(.editor, user, of: garden)
    let (id, key) = (context.makeIdentifier(), OpaqueKey.make(.deviceKey))
    return try await call.made { transaction, _ in
      let zone = try await TimeZoneName.settled(new.timeZone, in: transaction)
      let rows = try await transaction.query(
        Self.insert, id, garden, new.name, new.sensorTypes, key.digest, call.now, user.id, zone,
        new.ground.soil?.rawValue, new.ground.dryBelow, new.ground.wetAbove)
      // Deleted since it was looked at.
      guard let row = rows.first else { throw GardenAccess.notFound }
      guard try await transaction.query(Self.excess, garden, NewDevice.maximumOfGarden).isEmpty else {
        throw Problem(.conflict, "This garden has \(NewDevice.maximumOfGarden) devices already. Delete one first.")
      }
      let body = try Device(row, now: call.now).body { $0.member("key", key.text) }
      return Made(location: "/api/devices/\(id)", body: body, isSecret: true)
    }.response
  }

  // MARK: One

  private func show(_ call: Call) throws -> RowAnswer {
    let (user, id) = (try call.user, try call.identifier("id"))
    return RowAnswer(context.database.prepared(Self.visibleByID, id, user.id)) { call, rows in
      let device = try taken(rows.first, as: .viewer, call.now)
      return call.ok(device.body, revision: device.updatedAt)
    }
  }

  private func change(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user, try call.identifier("id"))
    let change = try call.form(DeviceChange.self)
    let device = try await context.database.transaction { transaction in
      let before = try taken(try await transaction.query(Self.lock, id, user.id).first, as: .editor, call.now)
      try call.requireMatch(before.body, revision: before.updatedAt)
      let ground = try change.ground.applied(to: before.ground)
      let zone = try await TimeZoneName.settled(change.timeZone.applied(to: before.timeZone), in: transaction)
      let rows = try await transaction.query(
        Self.update, id, change.name ?? before.name, change.sensorTypes.applied(to: before.sensorTypes) ?? [],
        call.now, zone, ground.soil?.rawValue, ground.dryBelow, ground.wetAbove)
      return try Device(rows[0], now: call.now)
    }
    await context.deviceKeys.changed([id])
    return call.ok(device.body, revision: device.updatedAt)
  }

  private func delete(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user, try call.identifier("id"))
    try await context.cache.change(timeoutMilliseconds: Erasing.timeoutMilliseconds) { transaction, tags in
      let row = try await transaction.query(Self.lockForDeletion, id, user.id).first
      let device = try taken(row, as: .manager, call.now)
      try call.requireMatch(device.body, revision: device.updatedAt)
      try await ErasedDevices.deleteReadings(of: [id], in: transaction)
      try await transaction.execute(Self.deleteByID, id)
      tags = [.latest(in: device.garden)]
    }
    await context.deviceKeys.changed([id])
    return call.noContent()
  }

  private func rotate(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user, try call.identifier("id"))
    let revokes = try call.query().flag("revoke") ?? false
    let key = OpaqueKey.make(.deviceKey)
    let response = try await call.made { transaction, _ in
      _ = try taken(try await transaction.query(Self.lock, id, user.id).first, as: .editor, call.now)
      let end = revokes ? nil : call.now.advanced(byMilliseconds: Self.oldKeyMilliseconds)
      try await transaction.execute(Self.setKey, id, key.digest, end)
      var json = JSONWriter()
      json.object { $0.member("key", key.text) }
      return Made(status: .ok, body: json.take(), isSecret: true)
    }.response
    await context.deviceKeys.changed([id])
    return response
  }

  /// The device of a row of `one`; throws 404 without one, and 403 for who may not do so much with it.
  private func taken(_ row: Row?, as role: GardenRole, _ now: Timestamp) throws -> Device {
    guard let row else { throw DeviceAccess.notFound }
    var columns = row.columns
    let device = try Device(&columns, now: now)
    try role.require(&columns)
    return device
  }

  // MARK: SQL

  private static let columns = Device.columns

  private static let byGarden = Statement(
    "devices.byGarden",
    "SELECT \(columns) FROM devices WHERE garden_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
  /// A device and the user's role in its garden, if the user may see it.
  private static let one = """
    SELECT \(columns), \(GardenRole.column(of: "$2"))
    FROM devices JOIN gardens ON gardens.id = devices.garden_id
    WHERE devices.id = $1 AND \(GardenRole.isVisible(to: "$2"))
    """
  private static let visibleByID = Statement("devices.visibleByID", one)
  /// Lets those pass that hold the device against its end, such as the rollup.
  private static let lock = Statement("devices.lock", one + " FOR NO KEY UPDATE OF devices")
  private static let lockForDeletion = Statement("devices.lockForDeletion", one + " FOR UPDATE OF devices")
  /// Of two at once, neither of which could see the other's, one waits for the garden.
  private static let insert = Statement(
    "devices.insert",
    """
    INSERT INTO devices
      (id, garden_id, name, sensor_types, key_hash, created_at, updated_at, time_zone, soil, dry_below, wet_above)
    SELECT $1, gardens.id, $3, $4, $5, $6, $6, $8, $9, $10, $11 FROM gardens
    WHERE gardens.id = $2 AND \(GardenRole.editor.isHeld(by: "$7")) FOR NO KEY UPDATE
    RETURNING \(columns)
    """)
  private static let excess = Statement(
    "devices.excess", "SELECT FROM devices WHERE garden_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1")
  private static let update = Statement(
    "devices.update",
    """
    UPDATE devices SET name = $2, sensor_types = $3, updated_at = greatest($4, updated_at + interval '1 ms'),
      time_zone = $5, soil = $6, dry_below = $7, wet_above = $8
    WHERE id = $1 RETURNING \(columns)
    """)
  private static let deleteByID = Statement("devices.delete", "DELETE FROM devices WHERE id = $1")
  private static let setKey = Statement(
    "devices.setKey",
    """
    UPDATE devices SET key_hash = $2, previous_key_expires_at = $3,
      previous_key_hash = CASE WHEN $3::timestamptz IS NULL THEN NULL ELSE key_hash END
    WHERE id = $1
    """)

  private static let revisions = """
    The `ETag` changes whenever the device is seen; as `If-Match` it is good until someone changes the device.
    """
}

/// A device that is to be added.
package struct NewDevice: JSONForm {
  /// The most devices of a garden.
  package static let maximumOfGarden = 10_000

  package let name: String
  package let sensorTypes: [String]
  package var timeZone: String?
  package let ground: Ground

  package init(_ fields: inout Fields) {
    name = fields.required("name", .deviceName)
    sensorTypes = fields.optional("sensorTypes", .sensorTypes, "What it measures: then it takes nothing else.") ?? []
    timeZone = fields.optional("timeZone", .timeZone, GardenTimeZone.deviceText)
    ground = Ground(&fields)
  }
}

/// What is to change of a device.
struct DeviceChange: JSONForm {
  let name: String?
  let sensorTypes: Patch<[String]>
  let timeZone: Patch<String>
  let ground: GroundChange

  init(_ fields: inout Fields) {
    name = fields.change("name", .deviceName)
    sensorTypes = fields.patch("sensorTypes", .sensorTypes)
    timeZone = fields.patch("timeZone", .timeZone, GardenTimeZone.deviceText)
    ground = GroundChange(&fields)
  }
}
