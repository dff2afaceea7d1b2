/// Whether anybody listens to devices: silence counts only while somebody does, and after a time without any replica it
/// begins anew.
package enum Listening {
  /// Nobody has listened when the watch has stood still for so long, in minutes.
  static let gapMinutes = 5

  /// Since when somebody listens, from a row of `device_watch`, in SQL; the parameter is the present moment.
  static func column(at parameter: String) -> String {
    """
    CASE WHEN checked_at < \(parameter)::timestamptz - interval '\(gapMinutes) minutes' THEN \(parameter)::timestamptz
      ELSE since END
    """
  }

  /// The same for a statement that has no such row.
  package static func since(at parameter: String) -> String { "(SELECT \(column(at: parameter)) FROM device_watch)" }
}
