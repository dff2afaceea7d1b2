extension Migration {
  static let deviceZone = Migration(
    number: 32, name: "device zone",
    sql: """
      -- NULL means the garden's. Without a constraint: it would be asked each time that a device is noted as heard of.
      ALTER TABLE devices ADD COLUMN time_zone text;
      """)
}
