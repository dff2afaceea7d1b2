import Postgres
import Values

/// Brings the buckets of five minutes and of an hour up to date for which readings have come, late ones too.
///
/// Every bucket is made anew from what it consists of, so that it is right however often and in whatever order that
/// happens. The queue is emptied before the readings are read, and READ COMMITTED lets each statement see what was
/// committed before it: a reading is in the sum, or its bucket is in the queue again.
enum Rollup {
  /// The most entries of the queue that one run takes.
  static let batchRows = 10_000

  static var duty: Duty {
    Duty(name: "readings.rollup", intervalSeconds: 2, timeoutMilliseconds: 30_000) { try await run($0) }
  }

  /// Takes some of the queue; gives whether there is more.
  static func run(_ transaction: Transaction) async throws -> Bool {
    var entries = 0
    var devices = ArrayBuilder<Identifier>()
    var types = ArrayBuilder<String>()
    var starts = ArrayBuilder<Timestamp>()
    for row in try await transaction.query(take, batchRows) {
      let (device, type, start, count) = try row.decode((Identifier.self, [UInt8].self, Timestamp.self, Int.self))
      devices.append(device)
      types.append(utf8: type)
      starts.append(start)
      entries += count
    }
    if entries == 0 { return false }
    _ = try await transaction.query(hold, devices)
    try await transaction.execute(fiveMinutes, devices, types, starts)
    try await transaction.execute(hours, devices, types, starts)
    return entries == batchRows
  }

  private static let take = Statement(
    "rollup.take",
    """
    WITH taken AS (
      DELETE FROM rollup_queue WHERE ctid = ANY (ARRAY(SELECT ctid FROM rollup_queue LIMIT $1))
      RETURNING device_id, sensor_type, start
    )
    SELECT device_id, sensor_type, start, count(*) FROM taken GROUP BY device_id, sensor_type, start
    """)

  /// Nobody erases these devices until the buckets are committed, lest some be left over without a device.
  private static let hold = Statement(
    "rollup.hold",
    "SELECT 1 FROM devices WHERE id = ANY ($1::uuid[]) ORDER BY id FOR KEY SHARE")

  private static let fiveMinutes = Statement(
    "rollup.fiveMinutes",
    """
    INSERT INTO readings_5m AS old (device_id, sensor_type, start, min, max, sum, count)
    SELECT b.device_id, b.sensor_type, b.start, r.min, r.max, r.sum, r.count
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS b (device_id, sensor_type, start)
    JOIN devices d ON d.id = b.device_id
    CROSS JOIN LATERAL (
      SELECT min(value), max(value), sum(value), count(*) FROM readings
      WHERE device_id = b.device_id AND sensor_type = b.sensor_type
        AND measured_at >= b.start AND measured_at < b.start + interval '5 minutes'
    ) r
    WHERE r.count > 0
    ON CONFLICT (device_id, sensor_type, start) DO UPDATE
    SET min = excluded.min, max = excluded.max, sum = excluded.sum, count = excluded.count
    """)

  private static let hours = Statement(
    "rollup.hours",
    """
    INSERT INTO readings_1h AS old (device_id, sensor_type, start, min, max, sum, count)
    SELECT h.device_id, h.sensor_type, h.start, b.min, b.max, b.sum, b.count
    FROM (
      SELECT DISTINCT device_id, sensor_type, date_bin('1 hour', start, timestamptz '2000-01-01 00:00:00+00') AS start
      FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS b (device_id, sensor_type, start)
    ) h
    JOIN devices d ON d.id = h.device_id
    CROSS JOIN LATERAL (
      SELECT min(min), max(max), sum(sum), sum(count)::bigint AS count FROM readings_5m
      WHERE device_id = h.device_id AND sensor_type = h.sensor_type
        AND start >= h.start AND start < h.start + interval '1 hour'
    ) b
    WHERE b.count > 0
    ON CONFLICT (device_id, sensor_type, start) DO UPDATE
    SET min = excluded.min, max = excluded.max, sum = excluded.sum, count = excluded.count
    """)
}
