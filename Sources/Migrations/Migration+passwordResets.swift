extension Migration {
  static let passwordResets = Migration(
    number: 28, name: "password resets",
    sql: """
      -- Who wants to get in again without the old password: what was asked for, and for a while what became of it. Of
      -- each address, known or not, there are a few numbered places an hour.
      CREATE TABLE password_resets (
        id uuid PRIMARY KEY,
        email_key text NOT NULL,
        place integer NOT NULL,
        requested_at timestamptz NOT NULL,
        -- When its mail is tried next; null once there is none to send.
        next_attempt_at timestamptz DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        -- From the first mail on: whose password it is, and the digest of the token while that is good.
        user_id uuid REFERENCES users ON DELETE CASCADE,
        hash bytea UNIQUE,
        expires_at timestamptz,
        UNIQUE (email_key, place)
      );
      CREATE INDEX password_resets_by_user ON password_resets (user_id);
      CREATE INDEX password_resets_by_age ON password_resets (requested_at);
      CREATE INDEX password_resets_waiting ON password_resets (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
      """)
}
