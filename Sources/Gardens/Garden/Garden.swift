import JSON
import Postgres
import Values
import Web

/// A garden as the API shows it.
struct Garden: PageItem, RowDecodable {
  let id: Identifier
  let owner: Identifier
  let name: String
  let location: Location?
  let areaSquareMetres: Double?
  let isPublic: Bool
  let timeZone: String?
  let ground: Ground
  let createdAt: Timestamp
  let updatedAt: Timestamp

  /// The columns that `init` reads, in their order.
  static let columns = """
    id, owner_id, name, latitude, longitude, area_square_metres, public, time_zone, \(Ground.columns(of: "gardens")),
      created_at, updated_at
    """

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    owner = try columns.next()
    name = try columns.next()
    location = Location(latitude: try columns.next(), longitude: try columns.next())
    areaSquareMetres = try columns.next()
    isPublic = try columns.next()
    timeZone = try columns.next()
    ground = try Ground(&columns)
    createdAt = try columns.next()
    updatedAt = try columns.next()
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("ownerId", owner)
    json.member("name", name)
    json.member("location", location)
    json.member("areaSquareMetres", areaSquareMetres)
    json.member("public", isPublic)
    json.member("timeZone", timeZone ?? TimeZoneName.assumed)
    ground.write(&json)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
  }

  static let schema = Schema.named(
    "Garden",
    .object(
      [
        .required("id", .identifier), .required("ownerId", .identifier),
        .required("name", .name), .required("location", .nullable(Location.schema)),
        .required("areaSquareMetres", .nullable(.number(minimum: 0))),
        .required("public", .boolean, "Whether everyone may see it and its readings."),
        .required("timeZone", .string(), GardenTimeZone.text),
      ] + Ground.members + [
        .required("createdAt", .timestamp), .required("updatedAt", .timestamp),
      ]),
    example: #"""
      {"id":"019aa5c0-0000-7000-8000-000000000007","ownerId":"019aa5c0-0000-7000-8000-000000000005","name":"South slope",\#
      "location":{"latitude":48.14,"longitude":11.58},"areaSquareMetres":120,"public":false,\#
      "timeZone":"Europe/Berlin","soil":"loam","dryBelow":null,"wetAbove":null,\#
      "createdAt":"2026-11-21T09:30:00.000Z","updatedAt":"2026-11-21T09:30:00.000Z"}
      """#)
}

extension Rule where Value == Double {
  /// Square metres, up to a thousand square kilometres.
  package static var area: Rule { .number(0...1e9) }
}
