extension Migration {
  static let tokens = Migration(
    number: 16, name: "tokens",
    sql: """
      -- What programs show to act for a user, each for some of what the user may.
      CREATE TABLE personal_tokens (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        name text NOT NULL,
        scopes text[] NOT NULL,
        hash bytea NOT NULL UNIQUE,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        last_used_at timestamptz
      );
      CREATE INDEX personal_tokens_by_user ON personal_tokens (user_id, id DESC);

      -- Each opens an event stream once, for whoever has shown one of the two credentials.
      CREATE TABLE event_tickets (
        hash bytea PRIMARY KEY,
        garden_id uuid NOT NULL,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        session_id uuid,
        token_hash bytea,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX event_tickets_by_user ON event_tickets (user_id);
      CREATE INDEX event_tickets_by_expiry ON event_tickets (expires_at);
      """)
}
