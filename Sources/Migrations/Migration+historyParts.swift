extension Migration {
  static let historyParts = Migration(
    number: 36, name: "history parts",
    sql: """
      -- Readings of a history of which the rest is still being sent. Nobody but its transaction ever sees them, which takes
      -- them out before it ends: of a server that fails nothing is left to be had, so that they need no log.
      CREATE UNLOGGED TABLE history_parts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sensor_types text[] NOT NULL,
        times timestamptz[] NOT NULL,
        values double precision[] NOT NULL
      );
      """)
}
