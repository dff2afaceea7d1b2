extension Migration {
  static let channels = Migration(
    number: 20, name: "channels",
    sql: """
      CREATE TABLE channels (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('webhook', 'ntfy', 'email')),
        target text NOT NULL,
        -- What a webhook's messages are signed with, encrypted by a key that the server derives from its secret.
        secret bytea,
        events text[] NOT NULL,
        minimum_severity text NOT NULL CHECK (minimum_severity IN ('info', 'notice', 'warning')),
        -- Minutes of the day, in the time zone.
        quiet_from integer CHECK (quiet_from BETWEEN 0 AND 1439),
        quiet_to integer CHECK (quiet_to BETWEEN 0 AND 1439),
        quiet_zone text,
        digest text CHECK (digest IN ('hourly', 'daily')),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        -- Since when nothing has arrived, how often that was in a row, and when it is tried again.
        failing_since timestamptz,
        failures integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT now(),
        -- Who delivers, and until when nobody else does.
        lease uuid,
        leased_until timestamptz NOT NULL DEFAULT now(),
        disabled_at timestamptz,
        disabled_because text
      );
      CREATE INDEX channels_by_user ON channels (user_id, id DESC);

      -- The outbox: news on its way through one channel, and for a while what became of it.
      CREATE TABLE deliveries (
        id uuid PRIMARY KEY,
        channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
        event text NOT NULL CHECK (event IN ('insight', 'device', 'order', 'channel')),
        type text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('info', 'notice', 'warning')),
        title text NOT NULL,
        text text NOT NULL,
        data jsonb NOT NULL,
        status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'expired', 'dropped')),
        created_at timestamptz NOT NULL,
        -- When it first could go, from which on it is tried for a day.
        due_at timestamptz,
        attempts integer NOT NULL DEFAULT 0,
        attempted_at timestamptz,
        fault text,
        ended_at timestamptz
      );
      CREATE INDEX deliveries_by_channel ON deliveries (channel_id, id DESC);
      CREATE INDEX deliveries_waiting ON deliveries (channel_id, id) WHERE status = 'pending';
      CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE status <> 'pending';

      -- Whether it is within quiet hours now. A zone that this Postgres does not know any more has none.
      CREATE FUNCTION is_quiet(quiet_from integer, quiet_to integer, zone text) RETURNS boolean
      LANGUAGE plpgsql STABLE AS $$
      DECLARE
        clock time;
        minute integer;
      BEGIN
        IF quiet_from IS NULL OR quiet_to IS NULL THEN RETURN false; END IF;
        clock := (now() AT TIME ZONE coalesce(zone, 'UTC'))::time;
        minute := extract(hour FROM clock) * 60 + extract(minute FROM clock);
        IF quiet_from <= quiet_to THEN RETURN minute >= quiet_from AND minute < quiet_to; END IF;
        RETURN minute >= quiet_from OR minute < quiet_to;
      EXCEPTION WHEN invalid_parameter_value THEN
        RETURN false;
      END $$;

      -- When a device's owner was told that it is silent; null while it is not.
      ALTER TABLE devices ADD COLUMN silence_told_at timestamptz;
      -- Since when somebody listens, and the last moment at which that was so.
      CREATE TABLE device_watch (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        since timestamptz NOT NULL,
        checked_at timestamptz NOT NULL
      );
      INSERT INTO device_watch (since, checked_at) VALUES ('epoch', now());
      """)

  static let newsExpires = Migration(
    number: 38, name: "news expires",
    sql: """
      -- When what it tells of is over; null for what never is.
      ALTER TABLE deliveries ADD COLUMN expires_at timestamptz;
      """)
}
