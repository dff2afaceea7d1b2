import Agronomy
import Postgres

extension OnlineSpan {
  /// How many of a device's last silences are kept.
  static let silences = 7
  /// A shorter pause, in seconds, is within one visit, and no silence between two.
  static let shortestSilenceSeconds = 60

  /// The median of the silences that `LastSeen` keeps, in seconds; NULL for a device that has not been silent yet.
  package static let column = """
    (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY silence) FROM unnest(devices.silences) AS silence)
    """

  /// The longest of these silences, in seconds; NULL likewise.
  package static let longestSilence = "(SELECT max(silence) FROM unnest(devices.silences) AS silence)"

  /// When a device that is not heard of again falls silent, in SQL; `parameter` is the present moment.
  package static func silence(at parameter: String) -> String {
    """
    (greatest(devices.last_seen_at, \(Listening.since(at: parameter)))
      + greatest(\(shortestSeconds), \(factor) * coalesce(\(column), 0)::int8) * interval '1 second')
    """
  }

  /// Reads `column`.
  package init(_ columns: inout Columns) throws {
    self.init(medianSilenceSeconds: Int64(try columns.next(Int32?.self) ?? 0))
  }
}
