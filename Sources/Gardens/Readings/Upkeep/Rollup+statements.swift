import Postgres
import Web

/// The rollup's statements. Values that no sensor measures, which older releases accepted, are left out of buckets that
/// are made anew: their sums need not fit into a double.
extension Rollup {
  /// Refused buckets are kept for three months.
  static let refusedExpiry = Expiry(
    "expiry.rollupRefused", from: "rollup_refused", where: "refused_at < now() - interval '90 days'")

  static let takeAdditions = Statement(
    "rollup.takeAdditions",
    """
    WITH added AS (
      DELETE FROM rollup_additions WHERE ctid = ANY (ARRAY(SELECT ctid FROM rollup_additions LIMIT $1)) RETURNING *
    )
    SELECT device_id, sensor_type, start, min(min), max(max), sum(sum), sum(count)::bigint,
      (SELECT count(*) FROM added)
    FROM added, \(additions) AS e (device_id, sensor_type, start, min, max, sum, count)
    GROUP BY device_id, sensor_type, start
    """)

  /// Takes buckets from the queue, also those that earlier releases wrote there as additions: making one anew comes to
  /// the same.
  static let takeQueue = Statement(
    "rollup.takeQueue",
    """
    WITH queued AS (
      DELETE FROM rollup_queue WHERE ctid = ANY (ARRAY(SELECT ctid FROM rollup_queue LIMIT $1))
      RETURNING device_id, sensor_type, start
    )
    SELECT device_id, sensor_type, start, (SELECT count(*) FROM queued) FROM queued
    GROUP BY device_id, sensor_type, start
    """)

  /// Queues the buckets of one statement's additions, to be made anew instead.
  static let queueAdditions = Statement(
    "rollup.requeue",
    """
    WITH taken AS (
      DELETE FROM rollup_additions WHERE ctid = ANY (ARRAY(SELECT ctid FROM rollup_additions LIMIT 1)) RETURNING *
    )
    INSERT INTO rollup_queue (device_id, sensor_type, start)
    SELECT e.* FROM taken, unnest(device_ids, sensor_types, starts) AS e (device_id, sensor_type, start)
    """)

  static let refuse = Statement(
    "rollup.refuse",
    """
    WITH taken AS (
      DELETE FROM rollup_queue WHERE device_id = $1 AND sensor_type = $2 AND start = $3
      RETURNING device_id, sensor_type, start
    )
    INSERT INTO rollup_refused (device_id, sensor_type, start, reason)
    SELECT DISTINCT taken.*, $4::text FROM taken JOIN devices d ON d.id = taken.device_id
    ON CONFLICT (device_id, sensor_type, start) DO UPDATE SET reason = excluded.reason, refused_at = now()
    """)

  /// The additions of one statement, a row for each.
  private static let additions = "unnest(device_ids, sensor_types, starts, minima, maxima, sums, counts)"

  /// Keeps devices from being erased until the buckets are committed, since these would be left over without a device.
  /// It waits for no other transaction: an erasure, which takes its time, holds its devices against this.
  static let hold = Statement(
    "rollup.hold",
    """
    WITH kept AS (SELECT id FROM devices WHERE id = ANY ($1::uuid[]) FOR KEY SHARE SKIP LOCKED)
    SELECT d.id, kept.id IS NULL OR \(DeviceHours.areHeld(of: "d.id"))
    FROM devices d LEFT JOIN kept USING (id) WHERE d.id = ANY ($1)
    """)

  static let queueAgain = Statement(
    "rollup.queueAgain",
    """
    INSERT INTO rollup_queue (device_id, sensor_type, start)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[])
    """)

  static let add = Statement(
    "rollup.add",
    """
    INSERT INTO readings_5m AS old (device_id, sensor_type, start, min, max, sum, count)
    SELECT b.* FROM unnest(
      $1::uuid[], $2::text[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[], $7::int8[])
      AS b (device_id, sensor_type, start, min, max, sum, count)
    JOIN devices d ON d.id = b.device_id
    \(BucketAdditions.onConflict)
    """)

  static let makeAnew = Statement(
    "rollup.makeAnew",
    """
    WITH b AS (
      SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS b (device_id, sensor_type, start)
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
      SELECT min(value), max(value), sum(value), count(*) FROM (
      \(RawReadings.rows(
        device: "b.device_id", type: "b.sensor_type", from: "b.start", to: "b.start + interval '5 minutes'"))
      ) history WHERE value \(Reading.sqlValues)
    ) r
    WHERE r.count > 0
    ON CONFLICT (device_id, sensor_type, start) DO UPDATE
    SET min = excluded.min, max = excluded.max, sum = excluded.sum, count = excluded.count
    """)

  /// Makes hours anew from their buckets of five minutes. These may be gone before the readings are: an hour that has
  /// counted more than they have is made from its readings. One of which neither has as many, such as an imported one,
  /// keeps its count.
  static let hours = Statement(
    "rollup.hours",
    """
    INSERT INTO readings_1h AS old (device_id, sensor_type, start, min, max, sum, count)
    SELECT h.device_id, h.sensor_type, h.start, found.min, found.max, found.sum, found.count
    FROM (
      SELECT DISTINCT device_id, sensor_type, \(RawReadings.bucket("1 hour", of: "start")) AS start
      FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS b (device_id, sensor_type, start)
    ) h
    JOIN devices d ON d.id = h.device_id
    LEFT JOIN readings_1h known
      ON known.device_id = h.device_id AND known.sensor_type = h.sensor_type AND known.start = h.start
    CROSS JOIN LATERAL (
      SELECT min(min), max(max), sum(sum), sum(count)::bigint AS count FROM readings_5m
      WHERE device_id = h.device_id AND sensor_type = h.sensor_type
        AND start >= h.start AND start < h.start + interval '1 hour'
        AND \(BucketMean.of()) \(Reading.sqlValues)
    ) b
    CROSS JOIN LATERAL (
      SELECT b.*
      UNION ALL
      SELECT min(value), max(value), sum(value), count(*) FROM (
      \(RawReadings.rows(
        device: "h.device_id", type: "h.sensor_type", from: "h.start", to: "h.start + interval '1 hour'"))
      ) history WHERE b.count < known.count AND value \(Reading.sqlValues)
      ORDER BY count DESC NULLS LAST LIMIT 1
    ) found
    WHERE found.count > 0
    ON CONFLICT (device_id, sensor_type, start) DO UPDATE
    SET min = CASE WHEN \(keepsCount) THEN least(old.min, excluded.min) ELSE excluded.min END,
      max = CASE WHEN \(keepsCount) THEN greatest(old.max, excluded.max) ELSE excluded.max END,
      sum = CASE WHEN \(keepsCount) THEN old.sum ELSE excluded.sum END,
      count = CASE WHEN \(keepsCount) THEN old.count ELSE excluded.count END
    """)
  private static let keepsCount = """
    excluded.count < old.count AND \(BucketMean.of(sum: "old.sum", count: "old.count")) \(Reading.sqlValues)
    """
}
