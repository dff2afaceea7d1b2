extension Migration {
  /// The columns of a day, from those of its hours. Sums are divided by a power of two, which is exact, so that they
  /// can be added up without overflow.
  static let day = """
    min(min) AS min, max(max) AS max,
    greatest(min(min), least(max(max), sum(sum / 2.0::float8 ^ 40) / sum(count) * 2.0::float8 ^ 40)) AS mean,
    sum(count)::bigint AS count
    """

  static let days = Migration(
    number: 21, name: "days",
    sql: """
      -- Buckets of a day in UTC. They follow those of an hour by triggers, whoever writes these: the rollup of this
      -- release or the one before, or an import. A mean instead of a sum, since the sums of some old hours fit into no
      -- double together.
      CREATE TABLE readings_1d (
        device_id uuid NOT NULL,
        sensor_type text NOT NULL,
        start timestamptz NOT NULL,
        min double precision NOT NULL,
        max double precision NOT NULL,
        mean double precision NOT NULL,
        count bigint NOT NULL,
        PRIMARY KEY (device_id, sensor_type, start)
      );

      CREATE FUNCTION readings_1d_follow() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO readings_1d AS old (device_id, sensor_type, start, min, max, mean, count)
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

      -- Hours go with their device alone.
      CREATE FUNCTION readings_1d_end() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        DELETE FROM readings_1d d USING (SELECT DISTINCT device_id FROM gone) g
        WHERE d.device_id = g.device_id AND NOT EXISTS (
          SELECT FROM readings_1h h
          WHERE h.device_id = d.device_id AND h.sensor_type = d.sensor_type
            AND h.start >= d.start AND h.start < d.start + interval '24 hours');
        RETURN NULL;
      END $$;

      CREATE TRIGGER days_of_new_hours AFTER INSERT ON readings_1h REFERENCING NEW TABLE AS written
      FOR EACH STATEMENT EXECUTE FUNCTION readings_1d_follow();
      CREATE TRIGGER days_of_changed_hours AFTER UPDATE ON readings_1h REFERENCING NEW TABLE AS written
      FOR EACH STATEMENT EXECUTE FUNCTION readings_1d_follow();
      CREATE TRIGGER days_of_gone_hours AFTER DELETE ON readings_1h REFERENCING OLD TABLE AS gone
      FOR EACH STATEMENT EXECUTE FUNCTION readings_1d_end();
      """)

  static let daysBefore = Migration(
    number: 22, name: "days before",
    apart: [
      // One device at a time, so that the rollup waits for none of them for long. Days that the triggers wrote first
      // stay.
      """
      DO $$
      DECLARE
        device uuid;
      BEGIN
        FOR device IN SELECT id FROM devices ORDER BY id LOOP
          INSERT INTO readings_1d (device_id, sensor_type, start, min, max, mean, count)
          SELECT device_id, sensor_type, date_bin('1 day', start, timestamptz '2000-01-01 00:00:00+00') AS day, \(day)
          FROM readings_1h WHERE device_id = device GROUP BY device_id, sensor_type, day
          ON CONFLICT DO NOTHING;
          COMMIT;
        END LOOP;
      END $$
      """
    ])
}
