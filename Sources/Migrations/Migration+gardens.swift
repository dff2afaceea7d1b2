extension Migration {
  static let gardens = Migration(
    number: 2, name: "gardens",
    sql: """
      CREATE TABLE gardens (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        name text NOT NULL,
        latitude double precision,
        longitude double precision,
        area_square_metres double precision,
        public boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX gardens_by_owner ON gardens (owner_id, id DESC);
      CREATE INDEX gardens_public ON gardens (id DESC) WHERE public;

      CREATE TABLE devices (
        id uuid PRIMARY KEY,
        garden_id uuid NOT NULL REFERENCES gardens ON DELETE CASCADE,
        name text NOT NULL,
        -- What the owner says it measures; what it really measured is what readings say.
        sensor_types text[] NOT NULL DEFAULT '{}',
        key_hash bytea NOT NULL UNIQUE,
        -- The key before the last rotation, good until its time is over.
        previous_key_hash bytea UNIQUE,
        previous_key_expires_at timestamptz,
        last_seen_at timestamptz,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX devices_by_garden ON devices (garden_id, id DESC);
      """)
}
