import JSON
import Postgres
import Values
import Web

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
    (id, owner, name) = (try .decode(row[0]), try .decode(row[1]), try .decode(row[2]))
    let (latitude, longitude): (Double?, Double?) = (try .decode(row[3]), try .decode(row[4]))
    (areaSquareMetres, isPublic) = (try .decode(row[5]), try .decode(row[6]))
    (createdAt, updatedAt) = (try .decode(row[7]), try .decode(row[8]))
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
      .required("name", .line(1...120)), .required("location", .nullable(Location.schema)),
      .required("areaSquareMetres", .nullable(.number(minimum: 0))),
      .required("public", .boolean, "Whether everyone may see it and its readings."),
      .required("createdAt", .timestamp), .required("updatedAt", .timestamp),
    ]))
}

extension Rule where Value == String {
  package static var gardenName: Rule { .string(1...120) }
}

extension Rule where Value == Double {
  /// Square metres, up to a thousand square kilometres.
  package static var area: Rule { .number(0...1e9) }
}
