import HTTP
import JSON
import Postgres
import Values
import Web

/// What each sensor of a garden measured last.
struct LatestReadings: EndpointGroup {
  /// The most sensors that are shown, over all devices of a garden.
  static let maximumSeries: Int64 = 5_000

  let context: LoopContext
  let values: LatestValues

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "getGardenLatest", method: .get, template: "/api/gardens/{id}/latest", access: .anyone,
        summary: "The latest readings of a garden's sensors",
        details: "For each device and sensor type, the reading that was measured last, whenever it arrived.",
        tag: "Gardens",
        success: Endpoint.Success(200, .page(of: "LatestReadingPage", LatestReading.schema), headers: ["ETag"]),
        handler: .async(show))
    ]
  }

  private func show(_ call: Call) async throws -> Response {
    let garden = try call.identifier("id")
    try await GardenAccess(context: context).requireReader(call.identity, of: garden)
    let readings = try await readings(of: garden, for: call.client)
    let body = call.pageBody({ json in for reading in readings { json.object(reading.write) } }, next: nil)
    return call.list(body)
  }

  /// Returns the newest readings of a garden, in the order of their series.
  private func readings(of garden: Identifier, for client: String) async throws -> [LatestReading] {
    let context = context
    return try await values.readings(of: garden) {
      // Every sensor is looked for, also those that have no readings any more. Only the primary is asked: what is
      // stored meanwhile is merged with what this finds.
      let rows = try await context.longReads.read(for: client) {
        try await $0.query(Self.newest, garden, Self.maximumSeries)
      }
      return try rows.map { try LatestReading($0) }
    }
  }

  /// The newest reading of each sensor type of the devices. It is the first row met when the daily partitions are
  /// walked backwards, or one that came late; a sealed day is unpacked only where it may hold a newer one. Nothing is
  /// measured more than a day ahead, so the partitions beyond that are not read.
  static let newest = newest("readings.latest", of: "d.garden_id = $1")
  /// The newest reading of each sensor type of one device, found in the same way.
  static let newestOfDevice = newest("readings.latestOfDevice", of: "d.id = $1")

  private static func newest(_ name: String, of devices: String) -> Statement {
    Statement(
      name,
      """
      SELECT series.device_id, series.sensor_type, coalesce(sealed.measured_at, rows.measured_at),
        CASE WHEN sealed.measured_at IS NULL THEN rows.value ELSE sealed.value END
      FROM (
        SELECT d.id, types.type
        FROM devices d CROSS JOIN LATERAL (\(DeviceTypes.rows(of: "d.id"))) AS types (type) WHERE \(devices)
      ) AS series (device_id, sensor_type)
      LEFT JOIN LATERAL (
        SELECT measured_at, value FROM (
          (SELECT r.measured_at, r.value FROM readings r
          WHERE r.device_id = series.device_id AND r.sensor_type = series.sensor_type
            AND r.measured_at < now() + interval '1 day'
          ORDER BY r.measured_at DESC LIMIT 1)
          UNION ALL
          (SELECT r.measured_at, r.value FROM readings_late r
          WHERE r.device_id = series.device_id AND r.sensor_type = series.sensor_type
          ORDER BY r.measured_at DESC LIMIT 1)
        ) AS parts ORDER BY measured_at DESC LIMIT 1
      ) AS rows ON true
      LEFT JOIN LATERAL (
        SELECT * FROM (
          SELECT s.start + s.times[cardinality(s.times)] * interval '1 millisecond' AS measured_at,
            s.values[cardinality(s.times)] AS value
          FROM readings_sealed s
          WHERE s.device_id = series.device_id AND s.sensor_type = series.sensor_type
            AND s.start > coalesce(rows.measured_at - interval '24 hours', '-infinity')
          ORDER BY s.start DESC LIMIT 1
        ) AS day WHERE rows.measured_at IS NULL OR measured_at > rows.measured_at
      ) AS sealed ON true
      WHERE rows.measured_at IS NOT NULL OR sealed.measured_at IS NOT NULL
      ORDER BY series.device_id, series.sensor_type COLLATE "C" LIMIT $2
      """)
  }
}
