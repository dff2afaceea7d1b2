/// Since when a server listens to devices: silence counts only while one does, and after a time without any replica it
/// begins anew.
package enum Listening {
  /// When the watch has stood still for longer, in minutes, no server has listened.
  static let gapMinutes = 5

  /// Since when a server listens, in SQL, from a row of `device_watch`; `parameter` is the present moment. A later one
  /// was written while the clock was ahead.
  static func column(at parameter: String) -> String {
    """
    CASE WHEN checked_at < \(parameter)::timestamptz - interval '\(gapMinutes) minutes' THEN \(parameter)::timestamptz
      ELSE least(since, \(parameter)) END
    """
  }

  /// Since when a server listens, in SQL, for a statement without such a row.
  package static func since(at parameter: String) -> String { "(SELECT \(column(at: parameter)) FROM device_watch)" }
}
