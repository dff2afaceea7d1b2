extension Migration {
  /// Indexes by day, for what is deleted by days. The BRIN indexes that both tables have on their times tell less and
  /// less once rows of today take the place of the oldest.
  ///
  /// By the day and not by the time, so that only deletions use them: a plan for one device's times would be misled
  /// into those of all devices. They are small, since a day is stored once for many rows.
  static let measuredDays = Migration(
    number: 43, name: "measured days",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS readings_5m_by_day",
      "CREATE INDEX CONCURRENTLY readings_5m_by_day ON readings_5m (\(dayOfStart))",
      "DROP INDEX CONCURRENTLY IF EXISTS readings_sealed_by_day",
      "CREATE INDEX CONCURRENTLY readings_sealed_by_day ON readings_sealed (\(dayOfStart))",
      // A look for the oldest day passes over what was deleted since the last vacuum. These statements wait for a
      // vacuum in progress, and block no one meanwhile.
      "ALTER TABLE readings_5m SET (autovacuum_vacuum_scale_factor = 0.02)",
      "ALTER TABLE readings_sealed SET (autovacuum_vacuum_scale_factor = 0.02)",
    ])

  private static let dayOfStart = "date_bin('1 day', start, timestamptz '2000-01-01 00:00:00+00')"
}
