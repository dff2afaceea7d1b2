import Postgres

/// The statements. Readings and what they add to their buckets are committed together, so that each is in its bucket
/// exactly once.
extension RecentReadings {
  /// The readings as rows. As columns of the SELECT the arrays are walked side by side while the rows are stored; in
  /// its FROM they would first be copied into a table of their own.
  private static let rows =
    "SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::float8[])"

  /// Stores readings that are all new, which is the usual case.
  static let insertNew = Statement(
    "readings.insertNew",
    """
    WITH added AS (
      INSERT INTO rollup_additions (device_ids, sensor_types, starts, minima, maxima, sums, counts)
      VALUES ($5, $6, $7, $8, $9, $10, $11)
    )
    INSERT INTO readings (device_id, sensor_type, measured_at, value)
    \(rows)
    """)

  /// Stores readings of which some may be there already. The count tells whether all were new after all.
  static let insert = Statement(
    "readings.insert",
    """
    WITH fresh AS (
      INSERT INTO readings (device_id, sensor_type, measured_at, value)
      \(rows)
      ON CONFLICT DO NOTHING
      RETURNING device_id, sensor_type, measured_at, value
    ), \(added)
    SELECT count(*), pg_current_xact_id()::text::int8 FROM fresh
    """)

  /// What `fresh` readings add to their buckets.
  static let added = """
    added AS (
      INSERT INTO rollup_additions (device_ids, sensor_types, starts, minima, maxima, sums, counts)
      SELECT array_agg(device_id), array_agg(sensor_type), array_agg(start), array_agg(min), array_agg(max),
        array_agg(sum), array_agg(count)
      FROM (
        SELECT device_id, sensor_type, \(RawReadings.bucket("5 minutes", of: "measured_at")) AS start,
          min(value), max(value), sum(value), count(*)
        FROM fresh GROUP BY 1, 2, 3
      ) bucket
      HAVING count(*) > 0
    )
    """

  /// Finds what is stored under each key, by one look into an index: LIMIT keeps the planner from reading whole
  /// partitions.
  static let find = Statement(
    "readings.find",
    """
    SELECT r.value, r.transaction
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY
      AS key (device_id, sensor_type, measured_at, position)
    LEFT JOIN LATERAL (
      SELECT value, xmin::text::int8 AS transaction FROM readings
      WHERE device_id = key.device_id AND sensor_type = key.sensor_type AND measured_at = key.measured_at
      LIMIT 1
    ) r ON true
    ORDER BY key.position
    """)
}
