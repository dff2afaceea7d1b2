extension Migration {
  static let ground = Migration(
    number: 25, name: "ground",
    sql: """
      CREATE FUNCTION is_time_zone(zone text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
      BEGIN
        PERFORM now() AT TIME ZONE zone;
        RETURN true;
      EXCEPTION WHEN invalid_parameter_value THEN
        RETURN false;
      END $$;

      -- What is not there, garden or soil say; constraints are for rows to come, so that none is read for them now.
      ALTER TABLE gardens
        ADD COLUMN time_zone text, ADD COLUMN soil text,
        ADD COLUMN dry_below double precision, ADD COLUMN wet_above double precision,
        ADD CONSTRAINT gardens_time_zone_known CHECK (is_time_zone(time_zone)) NOT VALID;
      ALTER TABLE devices
        ADD COLUMN soil text, ADD COLUMN dry_below double precision, ADD COLUMN wet_above double precision;
      """)
}
