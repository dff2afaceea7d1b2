extension Migration {
  static let statusSpans = Migration(
    number: 27, name: "status spans",
    sql: """
      -- How the service was: one status for as long as it lasted. Between two spans nobody served.
      CREATE TABLE status_spans (
        started_at timestamptz PRIMARY KEY,
        ended_at timestamptz NOT NULL,
        status text NOT NULL CHECK (status IN ('healthy', 'degraded', 'unhealthy'))
      );
      """)
}
