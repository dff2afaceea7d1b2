import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// The devices of a garden, and the keys by which they post their readings. All is for the garden's owner and members.
struct Devices: EndpointGroup {
  /// How long the old key works after a new one was made, in hours.
  static let oldKeyHours: Int64 = 24

  let context: LoopContext
  private var access: GardenAccess { GardenAccess(context: context) }

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listDevices", method: .get, template: "/api/gardens/{id}/devices", access: .user,
        summary: "The devices of a garden",
        details: "Newest first.", tag: "Devices", parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "DevicePage", Device.schema), headers: ["ETag", "Link"]),
        handler: .async(list)),
      Endpoint(
        "createDevice", method: .post, template: "/api/gardens/{id}/devices", access: .user,
        summary: "Add a device to a garden",
        details: "Its key is shown in this answer only. A garden has at most \(DeviceInput.maximumOfGarden) devices.",
        tag: "Devices", parameters: [.idempotencyKey()],
        body: .json(
          DeviceInput.self, example: #"{"name":"Probe 7","sensorTypes":["soil_moisture","soil_temperature"]}"#),
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
        details: """
          The old key works for \(Self.oldKeyHours) more hours, so that you can update the device; at most two keys \
          work at a time.
          """,
        tag: "Devices",
        parameters: [.query("revoke", .boolean, "Whether all old keys end immediately."), .idempotencyKey()],
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
    let new = try call.form(DeviceInput.self)
    try await access.require(.editor, user, of: garden)
    let key = OpaqueKey.make(.deviceKey)
    return try await call.makeOnce { transaction, _ in
      var new = new
      new.timeZone = try await TimeZoneName.settled(new.timeZone, in: transaction)
      let made = DeviceInput.Row(
        id: context.makeIdentifier(), garden: garden, new: new, key: key, createdAt: call.now, updatedAt: call.now)
      // Deleted, or taken from the user, since access was checked.
      guard let row = try await DeviceInput.insert([made], by: user.id, in: transaction).first else {
        throw GardenAccess.notFound
      }
      try await DeviceInput.bound.check(of: garden, in: transaction)
      let device = try Device(row, now: call.now)
      let body = device.body { $0.member("key", key.text) }
      return Made(location: "/api/devices/\(device.id)", body: body, isSecret: true)
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
      return try await change.write(over: before, at: call.now, in: transaction)
    }
    await context.deviceKeys.changed([id])
    return call.ok(device.body, revision: device.updatedAt)
  }

  private func delete(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user, try call.identifier("id"))
    try await context.erasures.turn(of: user.id) {
      try await context.cache.change(timeoutMilliseconds: Erasing.timeoutMilliseconds) { transaction, tags in
        let row = try await transaction.query(Self.lockForDeletion, id, user.id).first
        let device = try taken(row, as: .manager, call.now)
        try call.requireMatch(device.body, revision: device.updatedAt)
        try await ErasedDevices.deleteReadings(of: [id], in: transaction)
        try await transaction.execute(Self.deleteByID, id)
        tags = [.latest(in: device.garden)]
      }
    }
    await context.deviceKeys.changed([id])
    return call.noContent()
  }

  private func rotate(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user, try call.identifier("id"))
    let revokes = try call.query().flag("revoke") ?? false
    let key = OpaqueKey.make(.deviceKey)
    let response = try await call.makeOnce { transaction, _ in
      _ = try taken(try await transaction.query(Self.lock, id, user.id).first, as: .editor, call.now)
      let end = revokes ? nil : call.now.advanced(byHours: Double(Self.oldKeyHours))
      try await transaction.execute(Self.setKey, id, key.digest, end)
      var json = JSONWriter()
      json.object { $0.member("key", key.text) }
      return Made(status: .ok, body: json.take(), isSecret: true)
    }.response
    await context.deviceKeys.changed([id])
    return response
  }

  /// Reads the device of a row of `one`. Throws 404 without a row, and 403 when the user's role is less than `role`.
  private func taken(_ row: Row?, as role: GardenRole, _ now: Timestamp) throws -> Device {
    guard let row else { throw DeviceAccess.notFound }
    var columns = row.columns
    let device = try Device(&columns, now: now)
    try role.require(&columns)
    return device
  }

  // MARK: SQL

  private static let byGarden = Statement(
    "devices.byGarden",
    "SELECT \(Device.columns) FROM devices WHERE garden_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
  /// A device and the user's role in its garden, if the user may see it.
  private static let one = """
    SELECT \(Device.columns), \(GardenRole.column(of: "$2"))
    FROM devices JOIN gardens ON gardens.id = devices.garden_id
    WHERE devices.id = $1 AND \(GardenRole.isVisible(to: "$2"))
    """
  private static let visibleByID = Statement("devices.visibleByID", one)
  /// Lets transactions pass that only keep the device from being deleted, such as the rollup.
  private static let lock = Statement("devices.lock", one + " FOR NO KEY UPDATE OF devices")
  private static let lockForDeletion = Statement("devices.lockForDeletion", one + " FOR UPDATE OF devices")
  private static let deleteByID = Statement("devices.delete", "DELETE FROM devices WHERE id = $1")
  private static let setKey = Statement(
    "devices.setKey",
    """
    UPDATE devices SET key_hash = $2, previous_key_expires_at = $3,
      previous_key_hash = CASE WHEN $3::timestamptz IS NULL THEN NULL ELSE key_hash END
    WHERE id = $1
    """)

  private static let revisions = """
    The `ETag` changes whenever the device is seen; as `If-Match` it stays valid until someone changes the device.
    """
}
