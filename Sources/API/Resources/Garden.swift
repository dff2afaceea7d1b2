import JSON
import Postgres
import Values

/// A garden as the API shows it.
struct Garden: PageItem {
  let id: Identifier
  let owner: Identifier
  let name: String
  let location: Location?
  let areaSquareMetres: Double?
  let isPublic: Bool
  let createdAt: Timestamp
  let updatedAt: Timestamp

  /// The columns that `init` reads, in their order.
  static let columns =
    "id, owner_id, name, latitude, longitude, area_square_metres, public, created_at, updated_at"

  init(_ row: Row) throws {
    let (latitude, longitude): (Double?, Double?)
    (id, owner, name, latitude, longitude, areaSquareMetres, isPublic, createdAt, updatedAt) = try row.decode(
      (
        Identifier.self, Identifier.self, String.self, Double?.self, Double?.self, Double?.self, Bool.self,
        Timestamp.self, Timestamp.self
      ))
    location = Location(latitude: latitude, longitude: longitude)
  }

  var body: [UInt8] {
    var json = JSONWriter()
    json.object(write)
    return json.take()
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("ownerId", owner)
    json.member("name", name)
    json.member("location", location)
    json.member("areaSquareMetres", areaSquareMetres)
    json.member("public", isPublic)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
  }

  static let schema = Schema.named(
    "Garden",
    .object([
      .required("id", .identifier), .required("ownerId", .identifier),
      .required("name", .string(minLength: 1, maxLength: 120)), .required("location", .nullable(Location.schema)),
      .required("areaSquareMetres", .nullable(.number(minimum: 0))),
      .required("public", .boolean, "Whether everyone may see it and its readings."),
      .required("createdAt", .timestamp), .required("updatedAt", .timestamp),
    ]))
}
