import Agronomy
import JSON
import Postgres
import Values
import Web

/// A device as the API shows it.
package struct Device: PageItem {
  /// The most sensor types that a device may list, and have readings of.
  package static let maximumSensorTypes = 64

  package let id: Identifier
  let garden: Identifier
  let name: String
  let sensorTypes: [String]
  let timeZone: String?
  let ground: Ground
  let lastSeenAt: Timestamp?
  let isOnline: Bool
  let createdAt: Timestamp
  let updatedAt: Timestamp

  /// The columns that `init` reads, in their order. Names of sensor types have no space in them.
  static let columns = """
    devices.id, devices.garden_id, devices.name, array_to_string(devices.sensor_types, ' '), devices.last_seen_at,
      devices.created_at, devices.updated_at, \(OnlineSpan.column), devices.time_zone,
      \(Ground.columns(of: "devices"))
    """

  init(_ columns: inout Columns, now: Timestamp) throws {
    id = try columns.next()
    garden = try columns.next()
    name = try columns.next()
    sensorTypes = try columns.next(String.self).split(separator: " ").map(String.init)
    lastSeenAt = try columns.next()
    createdAt = try columns.next()
    updatedAt = try columns.next()
    isOnline = try OnlineSpan(&columns).isOnline(seen: lastSeenAt, now: now)
    timeZone = try columns.next()
    ground = try Ground(&columns)
  }

  /// Reads a device from the first columns of a row.
  init(_ row: Row, now: Timestamp) throws {
    var columns = row.columns
    try self.init(&columns, now: now)
  }

  package func write(_ json: inout JSONWriter) { write(&json, isStored: false) }

  /// Writes its members; `isStored` leaves out whether it is online.
  func write(_ json: inout JSONWriter, isStored: Bool) {
    json.member("id", id)
    json.member("gardenId", garden)
    json.member("name", name)
    json.member("sensorTypes", sensorTypes)
    json.member("timeZone", timeZone)
    ground.write(&json)
    json.member("lastSeenAt", lastSeenAt)
    if !isStored { json.member("online", isOnline) }
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
  }

  static let members: [Schema.Property] =
    [
      .required("id", .identifier), .required("gardenId", .identifier),
      .required("name", .name), .required("sensorTypes", .array(.string())),
      .required("timeZone", .nullable(.string()), GardenTimeZone.deviceText),
    ] + Ground.members + [
      .required("lastSeenAt", .nullable(.timestamp), "When it last posted."),
      .required("online", .boolean, "Whether it posted within three times its usual interval, at least 15 minutes."),
      .required("createdAt", .timestamp), .required("updatedAt", .timestamp),
    ]
  static let schema = Schema.named("Device", .object(members), example: example + "}")
  static let schemaWithKey = Schema.named(
    "DeviceWithKey", .object(members + [.required("key", .string(), "Shown once; the server keeps no copy.")]),
    example: example + #","key":"tdk_…"}"#)
  /// An example without its closing brace, so that members can be added.
  static let example = #"""
    {"id":"019aa5c0-0000-7000-8000-000000000009","gardenId":"019aa5c0-0000-7000-8000-000000000007","name":"Probe 7",\#
    "sensorTypes":["soil_moisture","soil_temperature"],\#
    "timeZone":null,"soil":"sandy-loam","dryBelow":null,"wetAbove":null,\#
    "lastSeenAt":"2026-11-21T09:30:00.000Z","online":true,\#
    "createdAt":"2026-11-21T09:30:00.000Z","updatedAt":"2026-11-21T09:30:00.000Z"
    """#
}

extension Rule where Value == String {
  /// The name of what a sensor measures.
  package static var sensorType: Rule {
    Rule.string(1...SensorType.maximumLength).checked(
      "must be lower-case letters, digits and _, beginning with a letter", schema: .string(pattern: SensorType.pattern)
    ) { text in
      Array(text.utf8).withUnsafeBytes(SensorType.isName)
    }
  }
}

extension Rule where Value == [String] {
  /// The sensor types of a device, each at most once.
  package static var sensorTypes: Rule { .set(0...Device.maximumSensorTypes, of: .sensorType, "sensor type") }
}
