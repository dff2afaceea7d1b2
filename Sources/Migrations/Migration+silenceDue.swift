extension Migration {
  static let silenceDue = Migration(
    number: 30, name: "silence due",
    sql: """
      -- When it is next to be seen whether a device has fallen silent. It is written by who looks, not whenever the device
      -- is heard of: an index of that would have to be written as often.
      ALTER TABLE devices ADD COLUMN silence_due_at timestamptz NOT NULL DEFAULT '-infinity';
      """)

  static let silenceDueIndex = Migration(
    number: 31, name: "silence due, by time",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS devices_by_silence_due",
      "CREATE INDEX CONCURRENTLY devices_by_silence_due ON devices (silence_due_at)",
    ])
}
