extension Migration {
  static let sealedReadings = Migration(
    number: 24, name: "sealed readings",
    sql: """
      -- Raw readings of days that are over, a row for each device, sensor and day: milliseconds from the day's start,
      -- ascending, and what was measured at each. Compressed a reading takes a few bytes.
      CREATE TABLE readings_sealed (
        device_id uuid NOT NULL,
        sensor_type text NOT NULL,
        start timestamptz NOT NULL,
        times integer[] NOT NULL,
        values double precision[] NOT NULL,
        PRIMARY KEY (device_id, sensor_type, start)
      );
      CREATE INDEX readings_sealed_by_start ON readings_sealed USING brin (start);

      -- Readings of days that may be sealed, until they are merged into them.
      CREATE TABLE readings_late (LIKE readings INCLUDING ALL);
      CREATE INDEX readings_late_by_time ON readings_late (measured_at);

      -- All raw readings as plain rows, and those of a time, which looks into the days of that time alone.
      CREATE VIEW all_readings AS
      SELECT device_id, sensor_type, measured_at, value FROM readings
      UNION ALL SELECT device_id, sensor_type, measured_at, value FROM readings_late
      UNION ALL
      SELECT s.device_id, s.sensor_type, s.start + u.ms * interval '1 millisecond', u.value
      FROM readings_sealed s CROSS JOIN LATERAL unnest(s.times, s.values) AS u (ms, value);

      CREATE FUNCTION readings_between(since timestamptz, until timestamptz)
      RETURNS TABLE (device_id uuid, sensor_type text, measured_at timestamptz, value double precision)
      LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT r.device_id, r.sensor_type, r.measured_at, r.value FROM readings r
        WHERE r.measured_at >= since AND r.measured_at < until
        UNION ALL
        SELECT r.device_id, r.sensor_type, r.measured_at, r.value FROM readings_late r
        WHERE r.measured_at >= since AND r.measured_at < until
        UNION ALL
        SELECT s.device_id, s.sensor_type, s.start + u.ms * interval '1 millisecond', u.value
        FROM readings_sealed s CROSS JOIN LATERAL unnest(s.times, s.values) AS u (ms, value)
        WHERE s.start > since - interval '24 hours' AND s.start < until
          AND s.start + u.ms * interval '1 millisecond' >= since
          AND s.start + u.ms * interval '1 millisecond' < until
      $$;

      -- Drops a day whose readings are all sealed; false when some are not. Nobody comes in between.
      CREATE FUNCTION readings_partition_drop_empty(day date) RETURNS boolean
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DECLARE
        partition text := to_char(day, '"readings_"YYYYMMDD');
        is_empty boolean;
      BEGIN
        LOCK TABLE readings IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', partition) INTO is_empty;
        IF is_empty THEN
          EXECUTE format('DROP TABLE %I', partition);
        END IF;
        RETURN is_empty;
      END $$;
      """)
}
