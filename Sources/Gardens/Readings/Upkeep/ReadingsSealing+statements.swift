import Postgres

extension ReadingsSealing.Source {
  /// The statements that find the last series of a run, and move all series up to it.
  var statements: (last: Statement, move: Statement) {
    switch self {
    case .partitions: Self.ofPartitions
    case .late: Self.ofLate
    }
  }

  private static let ofPartitions = statements("partitions", "readings")
  private static let ofLate = statements("late", "readings_late", after: again)

  /// Queues the buckets of late readings while the previous release may be the one that makes buckets: it does not look
  /// where late readings are.
  private static let again = """
    , again AS (
      INSERT INTO rollup_queue (device_id, sensor_type, start)
      SELECT DISTINCT device_id, sensor_type,
        \(RawReadings.bucket("5 minutes", of: "$1::timestamptz + ms * interval '1 ms'"))
      FROM moved WHERE EXISTS (
        SELECT FROM schema_migrations WHERE \(ReadingsSealing.isMigration)
          AND applied_at > clock_timestamp() - interval '\(ReadingsSealing.mixedInterval)')
    )
    """

  /// The readings of a day from `$1` to `$2`, of the series behind the device `$3` and the type `$4`.
  private static let isNext =
    "measured_at >= $1 AND measured_at < $2 AND (device_id, sensor_type) > ($3::uuid, $4::text)"

  private static func statements(
    _ name: String, _ table: String, after: String = ""
  ) -> (last: Statement, move: Statement) {
    // Of the next `$5` readings' series the last up to which no more than `$6` readings are packed. When the first one
    // has more, that one, and false.
    let last = Statement(
      "readings.seal.last.\(name)",
      """
      WITH found AS (
        SELECT DISTINCT device_id, sensor_type FROM (
          SELECT device_id, sensor_type FROM \(table) WHERE \(isNext) ORDER BY device_id, sensor_type LIMIT $5
        ) ahead
      ), series AS (
        SELECT found.device_id, found.sensor_type, coalesce((
          SELECT cardinality(s.times) FROM readings_sealed s
          WHERE s.device_id = found.device_id AND s.sensor_type = found.sensor_type AND s.start = $1
        ), 0) + (
          SELECT count(*) FROM (
            SELECT FROM \(table) r WHERE r.device_id = found.device_id AND r.sensor_type = found.sensor_type
              AND r.measured_at >= $1 AND r.measured_at < $2 LIMIT $6::int8 + 1
          ) counted
        ) AS readings
        FROM found
      ), packed AS (
        SELECT device_id, sensor_type, sum(readings) OVER (ORDER BY device_id, sensor_type) AS total FROM series
      )
      SELECT device_id, sensor_type, total <= $6 FROM packed
      ORDER BY total <= $6 DESC, CASE WHEN total <= $6 THEN -total ELSE total END LIMIT 1
      """)
    // Of two readings with one key the sealed one stays.
    let move = Statement(
      "readings.seal.\(name)",
      """
      WITH moved AS (
        DELETE FROM \(table) WHERE \(isNext) AND (device_id, sensor_type) <= ($5::uuid, $6::text)
        RETURNING device_id, sensor_type, \(RawReadings.milliseconds("measured_at", from: "$1")) AS ms, value
      ), held AS (
        SELECT s.device_id, s.sensor_type, u.ms, u.value
        FROM (SELECT DISTINCT device_id, sensor_type FROM moved) series
        JOIN readings_sealed s
          ON s.device_id = series.device_id AND s.sensor_type = series.sensor_type AND s.start = $1
        CROSS JOIN LATERAL \(RawReadings.unpacked)
      ), fresh AS (
        SELECT * FROM moved m WHERE NOT EXISTS (
          SELECT FROM held h WHERE h.device_id = m.device_id AND h.sensor_type = m.sensor_type AND h.ms = m.ms)
      ), stored AS (
        INSERT INTO readings_sealed (device_id, sensor_type, start, times, values)
        SELECT device_id, sensor_type, $1, array_agg(ms), array_agg(value)
        FROM (
          SELECT * FROM fresh UNION ALL SELECT * FROM held ORDER BY device_id, sensor_type, ms
        ) day GROUP BY device_id, sensor_type
        ON CONFLICT (device_id, sensor_type, start) DO UPDATE SET times = excluded.times, values = excluded.values
      )\(after)
      SELECT count(*), coalesce(sum(ms), 0)::int8, coalesce(sum(hashfloat8(value)), 0)::int8 FROM fresh
      """)
    return (last, move)
  }
}

extension ReadingsSealing {
  static let keepOrder = Statement("readings.seal.order", "SELECT pg_advisory_xact_lock($1, $2)")

  static let isMigration = "name = 'sealed readings'"
  static let clock = Statement(
    "readings.seal.clock",
    """
    SELECT clock_timestamp() FROM schema_migrations
    WHERE \(isMigration) AND applied_at < clock_timestamp() - interval '\(watchInterval)'
    """)

  static let firstLate = Statement(
    "readings.seal.firstLate",
    """
    SELECT measured_at FROM readings_late
    WHERE measured_at >= coalesce($1::timestamptz, '-infinity') AND measured_at < $2 ORDER BY measured_at LIMIT 1
    """)

  static let totals = Statement(
    "readings.seal.totals",
    """
    SELECT count(*), coalesce(sum(u.ms), 0)::int8, coalesce(sum(hashfloat8(u.value)), 0)::int8
    FROM readings_sealed s CROSS JOIN LATERAL \(RawReadings.unpacked)
    WHERE s.start = $1 AND (s.device_id, s.sensor_type) > ($2::uuid, $3::text)
      AND (s.device_id, s.sensor_type) <= ($4::uuid, $5::text)
    """)

  static let dropEmpty = Statement("readings.seal.drop", "SELECT readings_partition_drop_empty($1::text::date)")
}
