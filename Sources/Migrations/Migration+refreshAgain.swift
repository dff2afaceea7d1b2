extension Migration {
  static let refreshAgain = Migration(
    number: 11, name: "refresh again",
    sql: """
      -- Where a token was used from, and when the database noted one: who cannot have heard the answer may ask again.
      ALTER TABLE refresh_tokens ADD COLUMN used_from text, ADD COLUMN noted_at timestamptz;
      ALTER TABLE refresh_tokens ALTER COLUMN noted_at SET DEFAULT now();
      """)
}
