extension Migration {
  /// The days of what is deleted by days. An index of blocks, as both tables have of their times, tells less and less
  /// once rows of today stand where the oldest were.
  ///
  /// Of the day and not of the time, so that only who deletes takes it: whoever reads a device's times would be misled
  /// by it to all other devices. It is small, since a day's name stands in it once for many rows.
  static let measuredDays = Migration(
    number: 43, name: "measured days",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS readings_5m_by_day",
      "CREATE INDEX CONCURRENTLY readings_5m_by_day ON readings_5m (\(dayOfStart))",
      "DROP INDEX CONCURRENTLY IF EXISTS readings_sealed_by_day",
      "CREATE INDEX CONCURRENTLY readings_sealed_by_day ON readings_sealed (\(dayOfStart))",
      // Who looks for the oldest day passes over what was deleted since the last vacuum. These wait for a vacuum that
      // is under way, and hold up nobody meanwhile.
      "ALTER TABLE readings_5m SET (autovacuum_vacuum_scale_factor = 0.02)",
      "ALTER TABLE readings_sealed SET (autovacuum_vacuum_scale_factor = 0.02)",
    ])

  private static let dayOfStart = "date_bin('1 day', start, timestamptz '2000-01-01 00:00:00+00')"
}
