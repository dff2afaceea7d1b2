import Agronomy
import Postgres
import Values

extension GardenClock {
  /// The columns that `read` reads, in their order: those of a row of `table`, for times around the moment `parameter`.
  package static func columns(of table: String, at parameter: String) -> String {
    let zone = GardenTimeZone.column(of: table)
    let now = "\(parameter)::timestamptz"
    let (first, last) = ("(\(now) - interval '\(pastDays) days')", "(\(now) + interval '\(futureDays) days')")
    let (january, july) = ("date_trunc('year', \(now))", "(date_trunc('year', \(now)) + interval '6 months')")
    // Clocks change at whole or half hours of UTC; the moment is searched only where they do. Summer time is ahead.
    return """
      \(zone), (
        SELECT ARRAY[
          before, after,
          CASE WHEN before <> after THEN (
            SELECT extract(epoch FROM min(at))::int8
            FROM generate_series(date_trunc('hour', \(first)), \(last), '30 minutes') at WHERE \(offset("at")) = after
          ) ELSE 0 END,
          least(\(offset(january)), \(offset(july)))]
        FROM (SELECT zone, \(offset(first)) AS before, \(offset(last)) AS after FROM (SELECT \(zone) AS zone OFFSET 0) z) o
        WHERE zone IS NOT NULL)
      """
  }

  /// How far `zone` is ahead of UTC at a moment, in seconds.
  private static func offset(_ moment: String) -> String {
    "extract(epoch FROM \(moment) AT TIME ZONE zone - \(moment) AT TIME ZONE 'UTC')::int8"
  }

  /// Reads a clock from `columns`; nil for a row without a zone.
  package static func read(_ columns: inout Columns) throws -> GardenClock? {
    let (zone, seconds) = (try columns.next(String?.self), try columns.next([Int64]?.self))
    guard let zone, let seconds else { return nil }
    let (before, after, change) = (Int(seconds[0]), Int(seconds[1]), Timestamp(unixMilliseconds: seconds[2] * 1_000))
    return GardenClock(
      zone: zone, offsetSeconds: before, change: before == after ? nil : (change, after),
      standardOffsetSeconds: Int(seconds[3]))
  }
}
