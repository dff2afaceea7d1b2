/// The time zone in which a garden's owner reads times; a device's goes before its garden's.
enum GardenTimeZone {
  static let text = "The IANA name of the time zone in which its insights tell times; `UTC` unless given."
  static let deviceText = "The IANA name of the time zone in which insights tell its times; its garden's unless given."

  /// The zone of a row of a table, NULL where the row has none. One that this Postgres does not know any more is none:
  /// it would fail the statement for all rows. No constraint keeps such from devices: it would keep them from being
  /// noted as heard of.
  static func column(of table: String) -> String {
    "CASE WHEN is_time_zone(\(table).time_zone) THEN \(table).time_zone END"
  }
}
