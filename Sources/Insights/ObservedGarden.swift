import Agronomy
import Gardens
import Postgres
import Values

/// What findings need to know of a garden itself.
struct ObservedGarden {
  let id: Identifier
  let name: String
  /// Degrees east; where the garden has no place, the meridian of its time zone.
  let longitude: Double
  let clock: GardenClock
  let ground: Ground

  /// The columns that `init` reads, in their order; `parameter` is the moment around which times are told.
  static func columns(at parameter: String) -> String {
    """
    gardens.id, gardens.name, gardens.longitude, \(GardenClock.columns(of: "gardens", at: parameter)),
      \(Ground.columns(of: "gardens"))
    """
  }

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    name = try columns.next()
    let place = try columns.next(Double?.self)
    clock = try GardenClock.read(&columns) ?? .utc
    longitude = place ?? clock.meridian
    ground = try Ground(&columns)
  }
}
