import Postgres
import Values

/// Brings the buckets of five minutes and of an hour up to date for which readings have come, late ones too.
///
/// Each statement that stores readings leaves a row that says what they add to which buckets: what is taken from there
/// and put into the buckets in one transaction counts exactly once. A queue says which buckets are to be made anew from
/// their readings instead, in one statement with the removal of whatever was added to them: one snapshot, in which an
/// addition is seen exactly if its readings are.
enum Rollup {
  /// The most entries of the queue that one run takes.
  static let queueRows = 50_000
  /// The most statements whose additions one run takes.
  static let statements = 2_000

  static var duty: Duty {
    Duty(name: "readings.rollup", intervalSeconds: 2, timeoutMilliseconds: 30_000) { try await run($0) }
  }

  /// Takes some of what is to be done; gives whether there is more.
  static func run(_ transaction: Transaction) async throws -> Bool {
    let taken = try await transaction.query(take, queueRows, statements)
    guard let first = taken.first else { return false }
    let (queued, added) = (try first.decode(Int.self, 8), try first.decode(Int.self, 9))
    var (all, anew) = (BucketAdditions(), BucketAdditions())
    for row in taken {
      let (device, type, start) = try row.decode((Identifier.self, [UInt8].self, Timestamp.self))
      var values = ValueSummary()
      let isAnew = try row.decode(Bool.self, 7)
      if !isAnew {
        values.min = try row.decode(Double.self, 3)
        values.max = try row.decode(Double.self, 4)
        values.sum = try row.decode(Double.self, 5)
        values.count = try row.decode(Int64.self, 6)
      }
      all.append(device, type, start, values)
      if isAnew { anew.append(device, type, start, values) }
    }
    _ = try await transaction.query(hold, all.devices)
    if anew.count > 0 { try await transaction.execute(makeAnew, anew.devices, anew.types, anew.starts) }
    try await transaction.execute(
      add, all.devices, all.types, all.starts, all.minima, all.maxima, all.sums, all.counts)
    try await transaction.execute(hours, all.devices, all.types, all.starts)
    return queued == queueRows || added == statements
  }

  /// The release before wrote its additions into the queue, too.
  private static let take = Statement(
    "rollup.take",
    """
    WITH queued AS (
      DELETE FROM rollup_queue WHERE ctid = ANY (ARRAY(SELECT ctid FROM rollup_queue LIMIT $1))
      RETURNING device_id, sensor_type, start, min, max, sum, count
    ), added AS (
      DELETE FROM rollup_additions WHERE ctid = ANY (ARRAY(SELECT ctid FROM rollup_additions LIMIT $2)) RETURNING *
    )
    SELECT device_id, sensor_type, start, min(min), max(max), sum(sum), sum(count)::bigint, bool_or(count IS NULL),
      (SELECT count(*) FROM queued), (SELECT count(*) FROM added)
    FROM (
      SELECT * FROM queued
      UNION ALL
      SELECT addition.* FROM added, \(additions) addition
    ) taken (device_id, sensor_type, start, min, max, sum, count)
    GROUP BY device_id, sensor_type, start
    """)

  /// The additions of one statement, a row for each.
  private static let additions = "unnest(device_ids, sensor_types, starts, minima, maxima, sums, counts)"

  /// Nobody erases these devices until the buckets are committed, lest some be left over without a device.
  private static let hold = Statement(
    "rollup.hold",
    "SELECT 1 FROM devices WHERE id = ANY ($1::uuid[]) ORDER BY id FOR KEY SHARE")

  /// Buckets that are made anew have a count of 0 here.
  private static let add = Statement(
    "rollup.add",
    """
    INSERT INTO readings_5m AS old (device_id, sensor_type, start, min, max, sum, count)
    SELECT b.* FROM unnest(
      $1::uuid[], $2::text[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::int8[])
      AS b (device_id, sensor_type, start, min, max, sum, count)
    JOIN devices d ON d.id = b.device_id
    WHERE b.count > 0
    ON CONFLICT (device_id, sensor_type, start) DO UPDATE
    SET min = least(old.min, excluded.min), max = greatest(old.max, excluded.max), sum = old.sum + excluded.sum,
      count = old.count + excluded.count
    """)

  private static let makeAnew = Statement(
    "rollup.makeAnew",
    """
    WITH b AS (
      SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS b (device_id, sensor_type, start)
    ), unqueued AS (
      DELETE FROM rollup_queue q USING b
      WHERE q.device_id = b.device_id AND q.sensor_type = b.sensor_type AND q.start = b.start
    ), undone AS (
      DELETE FROM rollup_additions a WHERE EXISTS (
        SELECT 1 FROM unnest(a.device_ids, a.sensor_types, a.starts) AS e (device_id, sensor_type, start)
        JOIN b USING (device_id, sensor_type, start)
      ) RETURNING a.ctid AS statement, a.*
    ), others AS (
      INSERT INTO rollup_additions (device_ids, sensor_types, starts, minima, maxima, sums, counts)
      SELECT array_agg(e.device_id), array_agg(e.sensor_type), array_agg(e.start), array_agg(e.min), array_agg(e.max),
        array_agg(e.sum), array_agg(e.count)
      FROM undone, \(additions) AS e (device_id, sensor_type, start, min, max, sum, count)
      WHERE NOT EXISTS (
        SELECT 1 FROM b
        WHERE b.device_id = e.device_id AND b.sensor_type = e.sensor_type AND b.start = e.start)
      GROUP BY undone.statement HAVING count(*) > 0
    )
    INSERT INTO readings_5m AS old (device_id, sensor_type, start, min, max, sum, count)
    SELECT b.device_id, b.sensor_type, b.start, r.min, r.max, r.sum, r.count
    FROM b JOIN devices d ON d.id = b.device_id
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
