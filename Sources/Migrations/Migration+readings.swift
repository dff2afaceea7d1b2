extension Migration {
  static let readings = Migration(
    number: 3, name: "readings",
    sql: """
      -- Raw readings, a partition a day (made and dropped by the server), kept for 30 days.
      -- No foreign key: a check per row would halve the ingestion; erasing a device deletes its readings.
      CREATE TABLE readings (
        device_id uuid NOT NULL,
        sensor_type text NOT NULL,
        measured_at timestamptz NOT NULL,
        value double precision NOT NULL,
        PRIMARY KEY (device_id, sensor_type, measured_at)
      ) PARTITION BY RANGE (measured_at);

      CREATE TABLE readings_5m (
        device_id uuid NOT NULL,
        sensor_type text NOT NULL,
        start timestamptz NOT NULL,
        min double precision NOT NULL,
        max double precision NOT NULL,
        sum double precision NOT NULL,
        count bigint NOT NULL,
        PRIMARY KEY (device_id, sensor_type, start)
      );

      CREATE TABLE readings_1h (LIKE readings_5m INCLUDING ALL);

      -- Buckets that new readings have made stale, written in the readings' own transaction and taken by the rollup.
      -- Appended without a unique key: a writer never waits for the rollup, nor for another writer.
      CREATE TABLE rollup_queue (
        device_id uuid NOT NULL,
        sensor_type text NOT NULL,
        start timestamptz NOT NULL
      );
      """)
}
