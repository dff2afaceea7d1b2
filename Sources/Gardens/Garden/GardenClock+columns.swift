import Agronomy
import Postgres

extension GardenClock {
  /// The columns that `read` takes, in their order: those of a table's row at the moment that the parameter says.
  package static func columns(of table: String, at parameter: String) -> String {
    let zone = GardenTimeZone.column(of: table)
    return """
      \(zone), extract(epoch FROM (\(parameter)::timestamptz AT TIME ZONE \(zone))
        - (\(parameter)::timestamptz AT TIME ZONE 'UTC'))::int8
      """
  }

  /// Nil for a row that names no zone.
  package static func read(_ columns: inout Columns) throws -> GardenClock? {
    let (zone, offset) = (try columns.next(String?.self), try columns.next(Int64?.self))
    guard let zone, let offset else { return nil }
    return GardenClock(zone: zone, offsetSeconds: Int(offset))
  }
}
