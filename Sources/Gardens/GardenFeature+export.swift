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
    ) { row, json in try Device(row, now: Timestamp(unixMilliseconds: 0)).write(&json, isStored: true) }
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

  /// The hours that the export's raw readings do not cover: those before them, and those that count more readings than
  /// are left, such as imported ones. A day that counts no more than are left, as most do, is not unpacked.
  private static func hours(_ user: Identifier, _ rawFrom: Timestamp) -> ExportPart {
    let ofSeries = "device_id = d.id AND sensor_type = day.sensor_type"
    let ofDay = "\(ofSeries) AND measured_at >= day.start AND measured_at < day.start + interval '24 hours'"
    let ofHour = RawReadings.rows(
      device: "d.id", type: "day.sensor_type", from: "hour.start", to: "hour.start + interval '1 hour'")
    return ExportPart(
      kind: .hour, chunkRows: 1_000,
      sql: """
        SELECT r.device_id, r.sensor_type, r.start, r.min, r.max, r.sum, r.count
        FROM (SELECT \(rawFrom)) AS bound ("from") CROSS JOIN gardens g JOIN devices d ON d.garden_id = g.id
        CROSS JOIN LATERAL (
          (SELECT * FROM readings_1h WHERE device_id = d.id AND start < bound."from" OFFSET 0)
          UNION ALL
          SELECT hour.* FROM readings_1d AS day
          JOIN readings_1h AS hour ON hour.device_id = d.id AND hour.sensor_type = day.sensor_type
            AND hour.start >= greatest(day.start, bound."from") AND hour.start < day.start + interval '24 hours'
          WHERE day.device_id = d.id AND day.start > bound."from" - interval '24 hours' AND day.count > (
            SELECT coalesce((
              SELECT cardinality(times) FROM readings_sealed WHERE \(unescaped: ofSeries) AND start = day.start), 0)
              + (SELECT count(*) FROM readings WHERE \(unescaped: ofDay))
              + (SELECT count(*) FROM readings_late WHERE \(unescaped: ofDay)))
            AND hour.count > (SELECT count(*) FROM (\(unescaped: ofHour)) AS history)
        ) r
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
