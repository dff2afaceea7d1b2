extension Migration {
  static let rollupStatements = Migration(
    number: 9, name: "rollup statements",
    sql: """
      -- What the readings of one statement add to their buckets, in one row: an addition costs its bytes and no more.
      -- As long as it fits into a block it stays in line and as it is, since it is read once, soon.
      CREATE TABLE rollup_additions (
        device_ids uuid[] NOT NULL,
        sensor_types text[] NOT NULL,
        starts timestamptz[] NOT NULL,
        minima double precision[] NOT NULL,
        maxima double precision[] NOT NULL,
        sums double precision[] NOT NULL,
        counts bigint[] NOT NULL
      ) WITH (
        toast_tuple_target = 8160,
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 50000);
      ALTER TABLE rollup_additions
        ALTER device_ids SET STORAGE MAIN, ALTER sensor_types SET STORAGE MAIN, ALTER starts SET STORAGE MAIN,
        ALTER minima SET STORAGE MAIN, ALTER maxima SET STORAGE MAIN, ALTER sums SET STORAGE MAIN,
        ALTER counts SET STORAGE MAIN;
      """)
}
