extension Migration {
  static let daysTogether = Migration(
    number: 33, name: "days together",
    sql: """
      -- Who writes hours of a day waits for whoever writes others of it, and then counts these too. The day is held by a
      -- change that is never made; the statement behind it sees what was committed while it waited.
      \(followHours(day))
      """)

  /// The function by which days follow their hours, with the columns `day`.
  static func followHours(_ day: String) -> String {
    """
    CREATE OR REPLACE FUNCTION readings_1d_follow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO readings_1d AS held (device_id, sensor_type, start, min, max, mean, count)
      SELECT device_id, sensor_type, date_bin('1 day', start, timestamptz '2000-01-01 00:00:00+00') AS day, \(day)
      FROM written GROUP BY device_id, sensor_type, day ORDER BY device_id, sensor_type, day
      ON CONFLICT (device_id, sensor_type, start) DO UPDATE SET count = held.count WHERE false;

      INSERT INTO readings_1d (device_id, sensor_type, start, min, max, mean, count)
      SELECT changed.device_id, changed.sensor_type, changed.day, d.min, d.max, d.mean, d.count
      FROM (
        SELECT DISTINCT device_id, sensor_type, date_bin('1 day', start, timestamptz '2000-01-01 00:00:00+00') AS day
        FROM written
      ) changed CROSS JOIN LATERAL (
        SELECT \(day)
        FROM readings_1h h
        WHERE h.device_id = changed.device_id AND h.sensor_type = changed.sensor_type
          AND h.start >= changed.day AND h.start < changed.day + interval '24 hours'
      ) d
      WHERE d.count > 0
      ON CONFLICT (device_id, sensor_type, start) DO UPDATE
      SET min = excluded.min, max = excluded.max, mean = excluded.mean, count = excluded.count;
      RETURN NULL;
    END $$;
    """
  }
}
