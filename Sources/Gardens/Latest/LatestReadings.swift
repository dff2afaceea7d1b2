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
  let feature: GardenFeature

  package var endpoints: [Endpoint] {
    [
      Endpoint(
        "getGardenLatest", method: .get, template: "/api/gardens/{id}/latest", access: .anyone,
        summary: "What each sensor of a garden measured last",
        details: "By device and sensor type, the reading that was measured last, whenever it arrived.", tag: "Gardens",
        success: Endpoint.Success(200, .page(of: "LatestReadingPage", LatestReading.schema), headers: ["ETag"]),
        refusals: [.notFound], handler: .async(show))
    ]
  }

  private func show(_ call: Call) async throws -> Response {
    let garden = try call.identifier("id")
    try await GardenAccess(context: context).requireReader(call.identity, of: garden)
    let readings = try await readings(of: garden)
    let body = call.pageBody({ json in for reading in readings { json.object(reading.write) } }, next: nil)
    return call.list(CacheEntry(body: body))
  }

  /// The newest readings of a garden, in the order of their series.
  func readings(of garden: Identifier) async throws -> [LatestReading] {
    let context = context
    return try await feature.latest.readings(of: garden) {
      try await context.database.query(Self.newest, garden, Self.maximumSeries).map { try LatestReading($0) }
    }
  }

  /// First the sensor types of each device, each found by a step along an index: from the hourly buckets, which are few
  /// and of all times; from the last two days, in case they are not rolled up yet; from what the owner says. Then for
  /// each the newest row, which is the first one met when the daily partitions are walked backwards.
  ///
  /// A sensor type that is new and whose first readings came more than a day late is missed until the rollup has seen
  /// it, some seconds later: until then `LatestValues` knows it.
  private static let newest = Statement(
    "readings.latest",
    """
    WITH RECURSIVE device AS MATERIALIZED (SELECT id, sensor_types FROM devices WHERE garden_id = $1),
    rolled (device_id, sensor_type) AS (
      SELECT id, (SELECT min(r.sensor_type) FROM readings_1h r WHERE r.device_id = id) FROM device
      UNION ALL
      SELECT device_id, (
        SELECT min(r.sensor_type) FROM readings_1h r
        WHERE r.device_id = rolled.device_id AND r.sensor_type > rolled.sensor_type)
      FROM rolled WHERE sensor_type IS NOT NULL
    ),
    recent (device_id, sensor_type) AS (
      SELECT id, (
        SELECT r.sensor_type FROM readings r WHERE r.device_id = id AND \(withinTwoDays)
        ORDER BY r.sensor_type LIMIT 1)
      FROM device
      UNION ALL
      SELECT device_id, (
        SELECT r.sensor_type FROM readings r
        WHERE r.device_id = recent.device_id AND r.sensor_type > recent.sensor_type AND \(withinTwoDays)
        ORDER BY r.sensor_type LIMIT 1)
      FROM recent WHERE sensor_type IS NOT NULL
    ),
    series AS (
      SELECT device_id, sensor_type FROM rolled WHERE sensor_type IS NOT NULL
      UNION SELECT device_id, sensor_type FROM recent WHERE sensor_type IS NOT NULL
      UNION SELECT id, unnest(sensor_types) FROM device
    )
    SELECT series.device_id, series.sensor_type, newest.measured_at, newest.value
    FROM series CROSS JOIN LATERAL (
      SELECT r.measured_at, r.value FROM readings r
      WHERE r.device_id = series.device_id AND r.sensor_type = series.sensor_type
      ORDER BY r.measured_at DESC LIMIT 1
    ) newest
    ORDER BY series.device_id, series.sensor_type COLLATE "C" LIMIT $2
    """)

  /// The beginning of what is found before it is rolled up.
  static func foundAtOnce(at now: Timestamp) -> Timestamp {
    let day: Int64 = 86_400_000
    return Timestamp(unixMilliseconds: (now.unixMilliseconds.floorDivided(by: day) - 1) * day)
  }

  /// Whole partitions, so that the first row of an index fits and none is stepped over; tomorrow's may have begun.
  private static let withinTwoDays = """
    r.measured_at >= date_trunc('day', now(), 'UTC') - interval '1 day'
      AND r.measured_at < date_trunc('day', now(), 'UTC') + interval '2 days'
    """
}
