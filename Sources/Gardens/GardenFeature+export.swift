import JSON
import Postgres
import Values
import Web

/// The lines of an export with what a user grows and measures.
extension GardenFeature {
  package func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] {
    [Self.gardens(user), Self.devices(user), Self.readings(user, rawFrom), Self.hours(user, rawFrom)]
  }

  private static func gardens(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: .garden, sql: "SELECT \(unescaped: Garden.columns) FROM gardens WHERE owner_id = \(user) ORDER BY id"
    ) { row, json in try Garden(row).write(&json) }
  }

  private static func devices(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: .device,
      sql: """
        SELECT \(unescaped: Device.columns) FROM devices JOIN gardens ON gardens.id = devices.garden_id
        WHERE gardens.owner_id = \(user) ORDER BY devices.id
        """
    ) { row, json in
      let device = try Device(row, now: Timestamp(unixMilliseconds: 0))
      json.member("id", device.id)
      json.member("gardenId", device.garden)
      json.member("name", device.name)
      json.member("sensorTypes", device.sensorTypes)
      json.member("timeZone", device.timeZone)
      device.ground.write(&json)
      json.member("lastSeenAt", device.lastSeenAt)
      json.member("createdAt", device.createdAt)
      json.member("updatedAt", device.updatedAt)
    }
  }

  // OFFSET 0 keeps the planner from reading everybody's readings: one walk along the index for each device.
  private static func readings(_ user: Identifier, _ rawFrom: Timestamp) -> ExportPart {
    ExportPart(
      kind: .reading, chunkRows: 1_000,
      sql: """
        SELECT r.device_id, r.sensor_type, r.measured_at, r.value
        FROM (SELECT \(rawFrom)) AS bound ("from") CROSS JOIN gardens g JOIN devices d ON d.garden_id = g.id
        CROSS JOIN LATERAL (
          SELECT * FROM (\(unescaped: RawReadings.rows(device: "d.id", from: #"bound."from""#))) AS history OFFSET 0) r
        WHERE g.owner_id = \(user)
        """
    ) { row, json in
      json.member("deviceId", try row.decode(Identifier.self, 0))
      json.member("sensorType", try row.decode(String.self, 1))
      json.member("value", try row.decode(Double.self, 3))
      json.member("measuredAt", try row.decode(Timestamp.self, 2))
    }
  }

  /// What no raw readings of the export are there for: hours before them, and those that have counted more than are left,
  /// imported ones for example.
  private static func hours(_ user: Identifier, _ rawFrom: Timestamp) -> ExportPart {
    ExportPart(
      kind: .hour, chunkRows: 1_000,
      sql: """
        SELECT r.device_id, r.sensor_type, r.start, r.min, r.max, r.sum, r.count
        FROM (SELECT \(rawFrom)) AS bound ("from") CROSS JOIN gardens g JOIN devices d ON d.garden_id = g.id
        CROSS JOIN LATERAL (
          SELECT hour.* FROM readings_1h AS hour LEFT JOIN (
            SELECT sensor_type, date_bin('1 hour', measured_at, timestamptz '2000-01-01 00:00:00+00') AS start,
              count(*) AS count
            FROM (\(unescaped: RawReadings.rows(device: "d.id", from: #"bound."from""#))) AS history GROUP BY 1, 2
          ) AS raw ON raw.sensor_type = hour.sensor_type AND raw.start = hour.start
          WHERE hour.device_id = d.id AND (hour.start < bound."from" OR hour.count > coalesce(raw.count, 0)) OFFSET 0) r
        WHERE g.owner_id = \(user)
        """
    ) { row, json in
      json.member("deviceId", try row.decode(Identifier.self, 0))
      json.member("sensorType", try row.decode(String.self, 1))
      json.member("start", try row.decode(Timestamp.self, 2))
      json.member("min", try row.decode(Double.self, 3))
      json.member("max", try row.decode(Double.self, 4))
      json.member("sum", try row.decode(Double.self, 5))
      json.member("count", try row.decode(Int64.self, 6))
    }
  }
}
