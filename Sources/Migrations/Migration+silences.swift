extension Migration {
  static let silences = Migration(
    number: 13, name: "silences",
    sql: """
      -- How long a device was silent between its last visits, in seconds, the newest first: what is usual for it.
      ALTER TABLE devices ADD COLUMN silences integer[] NOT NULL DEFAULT '{}';
      """)
}
