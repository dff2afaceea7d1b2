extension Migration {
  static let upkeep = Migration(
    number: 15, name: "upkeep",
    sql: """
      -- Buckets that could not be made anew from their readings. To have it tried again, insert them into rollup_queue.
      CREATE TABLE rollup_refused (
        device_id uuid NOT NULL REFERENCES devices ON DELETE CASCADE,
        sensor_type text NOT NULL,
        start timestamptz NOT NULL,
        reason text NOT NULL,
        refused_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (device_id, sensor_type, start)
      );

      -- Devices that are gone: what was on its way to them at that moment is deleted for a while after.
      CREATE TABLE erased_devices (
        device_id uuid PRIMARY KEY,
        erased_at timestamptz NOT NULL DEFAULT now(),
        swept_at timestamptz NOT NULL DEFAULT now()
      );

      -- The sensor types of a device's readings, in the order of their coming; null until they are first asked for.
      ALTER TABLE devices ADD COLUMN measured_types text[];
      """)
}
