extension Migration {
  static let partitionFunctions = Migration(
    number: 14, name: "partition functions",
    sql: """
      -- They run as the tables' owner, so that the server's role needs no right to change any table. What a caller may
      -- have made of the same name is not found: temporary tables come last.

      -- Attaching a table, unlike making it a partition from the first, waits for no reader and holds up no writer.
      CREATE FUNCTION readings_partition_make(day date) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DECLARE
        partition text := to_char(day, '"readings_"YYYYMMDD');
      BEGIN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE readings INCLUDING ALL)', partition);
        EXECUTE format(
          'ALTER TABLE readings ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition,
          day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
      END $$;

      CREATE FUNCTION readings_partition_drop(day date) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      BEGIN
        EXECUTE format('DROP TABLE %I', to_char(day, '"readings_"YYYYMMDD'));
      END $$;

      -- A role that the owner lets read and write rows by default reads which steps were run, and notes none.
      DO $$
      DECLARE
        role name;
      BEGIN
        FOR role IN
          SELECT DISTINCT grantee FROM information_schema.role_table_grants
          WHERE table_schema = 'public' AND table_name = 'schema_migrations' AND grantee <> current_user
        LOOP
          EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM %I', role);
        END LOOP;
      END $$;
      """)
}
