extension Migration {
  static let confirmations = Migration(
    number: 29, name: "confirmations",
    sql: """
      -- Whether who reads an address has agreed to be told. True by default: for what was there, and for the release before,
      -- which asks nobody. What waits for an answer is switched off, so that neither release sends news there.
      ALTER TABLE channels ADD COLUMN confirmed boolean NOT NULL DEFAULT true;
      ALTER TABLE channels
        ADD CONSTRAINT channels_confirmed CHECK (confirmed OR disabled_at IS NOT NULL) NOT VALID;

      -- Messages that users had sent by asking, for a day: bounds hold whatever becomes of channels and accounts, so
      -- nothing refers to either.
      CREATE TABLE channel_requests (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id uuid NOT NULL,
        type text NOT NULL CHECK (type IN ('test', 'confirmation')),
        -- SHA-256 of the address that was asked.
        address_digest bytea,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX channel_requests_by_user ON channel_requests (user_id, type, created_at);
      CREATE INDEX channel_requests_by_address ON channel_requests (address_digest, created_at)
        WHERE address_digest IS NOT NULL;
      CREATE INDEX channel_requests_by_age ON channel_requests (created_at);
      """)
}
