import Postgres
import Values

/// How long after its last sign of life a device counts as online: three times as long as it usually is silent, and a
/// quarter of an hour at least.
package struct OnlineSpan {
  /// The shortest, in milliseconds.
  static let shortestMilliseconds: Int64 = 15 * 60_000
  /// How many times the median of its silences.
  static let factor: Int64 = 3
  /// How many of its last silences are kept.
  static let silences = 7
  /// What is shorter is one visit, not a silence between two, in seconds.
  static let shortestSilenceSeconds = 60

  let milliseconds: Int64

  /// Whether a device that was last heard of then still counts as online.
  package func isOnline(seen: Timestamp?, now: Timestamp) -> Bool {
    seen.map { $0.advanced(byMilliseconds: milliseconds) >= now } ?? false
  }

  /// The median of what `LastSeen` keeps in seconds; NULL for a device that has not been silent yet.
  package static let column = """
    (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY silence) FROM unnest(devices.silences) AS silence)
    """

  /// Reads `column`.
  package init(_ columns: inout Columns) throws {
    let median = Int64(try columns.next(Int32?.self) ?? 0)
    milliseconds = max(Self.shortestMilliseconds, Self.factor * median * 1_000)
  }
}
