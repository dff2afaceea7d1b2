extension Migration {
  static let sessionKeys = Migration(
    number: 26, name: "session keys",
    sql: """
      -- What a browser's cookie opens. Of the key, as of all keys, the digest alone.
      CREATE TABLE session_keys (
        hash bytea PRIMARY KEY,
        session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE
      );
      CREATE INDEX session_keys_by_session ON session_keys (session_id);
      """)
}
