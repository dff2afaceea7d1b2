extension Migration {
  static let insights = Migration(
    number: 5, name: "insights",
    sql: """
      CREATE TABLE insights (
        id uuid PRIMARY KEY,
        garden_id uuid NOT NULL REFERENCES gardens ON DELETE CASCADE,
        type text NOT NULL CHECK (type IN ('watering', 'frost', 'anomaly', 'summary')),
        provider text NOT NULL CHECK (provider IN ('rules', 'openai', 'anthropic')),
        severity text NOT NULL CHECK (severity IN ('info', 'notice', 'warning')),
        title text NOT NULL,
        text text NOT NULL,
        -- The numbers that the insight rests on.
        evidence jsonb NOT NULL,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX insights_by_garden ON insights (garden_id, id DESC);
      """)

  static let insightsTold = Migration(
    number: 37, name: "insights told",
    sql: """
      -- Whether the server told it to everybody, rather than to who asked. The release before does not say which, and
      -- takes all for told; so are its rows: what it has told is told to nobody twice, and what was asked of it silences
      -- no more than it does there.
      ALTER TABLE insights ADD COLUMN told boolean NOT NULL DEFAULT true;
      """)

  static let insightsExpire = Migration(
    number: 51, name: "insights expire",
    sql: """
      -- Until when it is kept, which is for ever where nothing is said: what was told to everybody, what was imported, and
      -- whatever is there already.
      ALTER TABLE insights ADD COLUMN expires_at timestamptz;
      """)

  /// Indexes by type, so that what is read of insights does not grow with how many were asked for.
  static let insightsByType = Migration(
    number: 52, name: "insights by type",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS insights_by_type",
      "CREATE INDEX CONCURRENTLY insights_by_type ON insights (garden_id, type, id)",
      // Those that were told are few beside those that were asked for, among which they would have to be searched.
      "DROP INDEX CONCURRENTLY IF EXISTS insights_told",
      "CREATE INDEX CONCURRENTLY insights_told ON insights (garden_id, type, id) WHERE told",
      "DROP INDEX CONCURRENTLY IF EXISTS insights_by_expiry",
      "CREATE INDEX CONCURRENTLY insights_by_expiry ON insights (expires_at) WHERE expires_at IS NOT NULL",
    ])
}
