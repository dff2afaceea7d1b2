extension Migration {
  static let smallSums = Migration(
    number: 44, name: "small sums",
    sql: """
      -- Postgres fails at a quotient that is too near to 0 for a double, and with it failed whoever wrote such an hour.
      \(followHours(dayOfAnySums))

      -- What was set aside for it, and may be for something else, is tried again.
      WITH again AS (DELETE FROM rollup_refused RETURNING device_id, sensor_type, start)
      INSERT INTO rollup_queue (device_id, sensor_type, start) SELECT * FROM again;
      """)

  /// The columns of a day, from those of its hours. Sums so small that no double tells them from 0 once divided count
  /// as 0.
  private static let dayOfAnySums = """
    min(min) AS min, max(max) AS max,
    greatest(min(min), least(max(max),
      sum(CASE WHEN abs(sum) < 1e-200 THEN 0 ELSE sum / 2.0::float8 ^ 40 END) / sum(count) * 2.0::float8 ^ 40)) AS mean,
    sum(count)::bigint AS count
    """
}
