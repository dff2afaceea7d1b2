import JSON
import Postgres
import Web

/// The time zone in which a garden's owner reads times; a device's own takes precedence over its garden's.
enum GardenTimeZone {
  static let text = "The IANA name of the time zone of times in its insights; `UTC` by default."
  static let deviceText = "The IANA name of the time zone of times in its insights; its garden's by default."

  /// The zone of a row of `table`; NULL where the row has none. One that this Postgres no longer knows counts as none:
  /// it would fail the statement for all rows. No constraint excludes such zones of devices, since it would also fail
  /// the updates of when one was seen; that of gardens fails each update of theirs that keeps such a zone.
  static func column(of table: String) -> String {
    "CASE WHEN is_time_zone(\(table).time_zone) THEN \(table).time_zone END"
  }

  /// Returns the zone after a change, as it is stored. Throws as `TimeZoneName.settled` does, but not because of a zone
  /// that stays as it is: Postgres may no longer know it.
  static func settled(_ change: Patch<String>, before: String?, in transaction: Transaction) async throws -> String? {
    if change == .absent { return before }
    return try await TimeZoneName.settled(change.applied(to: before), in: transaction)
  }
}
