extension Migration {
  static let readingsUpkeep = Migration(
    number: 6, name: "readings upkeep",
    sql: """
      -- Buckets are stored about in the order of their times, so that a few bytes per block of pages find the old ones.
      CREATE INDEX readings_5m_by_start ON readings_5m USING brin (start);

      -- A queue is all churn: what was taken is given back soon, so that it stays small however much goes through.
      ALTER TABLE rollup_queue SET (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 50000);
      """)
}
