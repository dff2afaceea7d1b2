import Postgres

/// A lock on the hours of a device, for a transaction that writes many of them. The rollup, which writes those of all
/// devices together, leaves these for later instead of waiting.
package enum DeviceHours {
  /// Holds the hours of a device until the transaction's end.
  package static let hold = Statement("deviceHours.hold", "SELECT pg_advisory_xact_lock(\(key(of: "$1::uuid")))")

  /// Whether a transaction holds a device's hours, in SQL. They are looked up instead of locked, since a run of the
  /// rollup may be about more devices than the server has room for locks.
  static func areHeld(of device: String) -> String {
    """
    \(key(of: device)) = ANY (ARRAY(
      SELECT classid::int8 << 32 | objid::int8 FROM pg_locks
      WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
    """
  }

  private static func key(of device: String) -> String { "hashtextextended('hours ' || \(device)::text, 0)" }
}
