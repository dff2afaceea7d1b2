extension Migration {
  static let members = Migration(
    number: 17, name: "members",
    sql: """
      -- Who may do what with somebody else's garden; without a user it is an invitation.
      CREATE TABLE garden_members (
        id uuid PRIMARY KEY,
        garden_id uuid NOT NULL REFERENCES gardens ON DELETE CASCADE,
        user_id uuid REFERENCES users ON DELETE CASCADE,
        role text NOT NULL CHECK (role IN ('viewer', 'editor', 'manager')),
        -- The address that was invited, as it was written and as addresses are compared.
        email text NOT NULL,
        email_key text NOT NULL,
        -- Of the invitation's token.
        hash bytea UNIQUE,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        UNIQUE (garden_id, user_id),
        CHECK ((user_id IS NULL) = (hash IS NOT NULL))
      );
      CREATE UNIQUE INDEX garden_members_invited ON garden_members (garden_id, email_key) WHERE user_id IS NULL;
      CREATE INDEX garden_members_by_user ON garden_members (user_id, garden_id);
      CREATE INDEX garden_members_by_expiry ON garden_members (expires_at) WHERE user_id IS NULL;
      """)
}
