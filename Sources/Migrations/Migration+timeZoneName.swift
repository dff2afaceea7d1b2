extension Migration {
  static let timeZoneName = Migration(
    number: 42, name: "time zone name",
    sql: """
      -- A time zone by its own spelling, however it is given: those who look a name up elsewhere need it letter by letter.
      -- NULL for one that is not known. The setting lasts no longer than the function.
      CREATE FUNCTION time_zone_name(zone text) RETURNS text LANGUAGE plpgsql STABLE STRICT SET timezone = 'UTC' AS $$
      BEGIN
        RETURN set_config('timezone', zone, true);
      EXCEPTION WHEN invalid_parameter_value THEN
        RETURN NULL;
      END $$;
      """)
}
