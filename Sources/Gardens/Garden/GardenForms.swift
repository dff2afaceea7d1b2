import JSON
import Postgres
import Values
import Web

/// A garden that is to be made.
package struct GardenInput: JSONForm {
  /// The most gardens of an owner.
  package static let maximumOfOwner = 10_000

  package let name: String
  package let location: Location?
  package let areaSquareMetres: Double?
  package let isPublic: Bool
  package var timeZone: String?
  package let ground: Ground

  package init(_ fields: inout Fields) {
    name = fields.required("name", .name)
    location = fields.optional("location", .location)
    areaSquareMetres = fields.optional("areaSquareMetres", .area)
    isPublic =
      fields.optional("public", .boolean, "Whether everyone may see it and its readings; false unless given.") ?? false
    timeZone = fields.optional("timeZone", .timeZone, GardenTimeZone.text)
    ground = Ground(&fields)
  }

  /// A row of the table.
  package typealias Row = NewRow<GardenInput>

  /// Inserts an owner's gardens, and returns their rows as `Garden` reads them.
  @discardableResult
  package static func insert(
    _ rows: [Row], of owner: Identifier, in transaction: Transaction
  ) async throws(PostgresError) -> Rows {
    try await transaction.query(
      insert, owner, rows.map(\.id), rows.map(\.new.name), rows.map(\.new.location?.latitude),
      rows.map(\.new.location?.longitude), rows.map(\.new.areaSquareMetres), rows.map(\.new.isPublic),
      rows.map(\.createdAt), rows.map(\.updatedAt), rows.map(\.new.timeZone), rows.map(\.new.ground.soil?.rawValue),
      rows.map(\.new.ground.dryBelow), rows.map(\.new.ground.wetAbove))
  }

  /// Throws 409 when an owner has too many gardens, counting those that the transaction has given them. No other
  /// transaction can give this owner one until it ends.
  package static func checkBound(of owner: Identifier, in transaction: Transaction) async throws {
    try await UserLock.take(owner, in: transaction)
    try await bound.check(of: owner, in: transaction)
  }

  private static let bound = ListBound(
    "gardens.excess", of: "gardens WHERE owner_id = $1 ORDER BY id DESC", atMost: maximumOfOwner,
    "Nobody may own more than \(maximumOfOwner) gardens. Delete one first.")
  private static let insert = Statement(
    "gardens.insert",
    """
    INSERT INTO gardens (owner_id, id, name, latitude, longitude, area_square_metres, public, created_at, updated_at,
      time_zone, soil, dry_below, wet_above)
    SELECT $1, * FROM unnest(
      $2::uuid[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::bool[], $8::timestamptz[],
      $9::timestamptz[], $10::text[], $11::text[], $12::float8[], $13::float8[])
    RETURNING \(Garden.columns)
    """)
}

/// A change of a garden.
struct GardenChange: JSONForm {
  let name: String?
  let location: Patch<LocationChange>
  let areaSquareMetres: Patch<Double>
  let isPublic: Bool?
  let timeZone: Patch<String>
  let ground: GroundChange

  init(_ fields: inout Fields) {
    name = fields.change("name", .name)
    location = fields.patch("location", .locationChange)
    areaSquareMetres = fields.patch("areaSquareMetres", .area)
    isPublic = fields.change(
      "public", .boolean, "Whether everyone may see it and its readings. No personal access token changes it.")
    timeZone = fields.patch("timeZone", .timeZone, GardenTimeZone.text)
    ground = GroundChange(&fields)
  }

  /// Applies the change to `before`, whose row the transaction has locked, and returns the garden as it is then.
  func write(over before: Garden, at now: Timestamp, in transaction: Transaction) async throws -> Garden {
    let (place, ground) = (try location.applied(to: before.location), try ground.applied(to: before.ground))
    let zone = try await GardenTimeZone.settled(timeZone, before: before.timeZone, in: transaction)
    let rows = try await transaction.query(
      Self.update, before.id, name ?? before.name, place?.latitude, place?.longitude,
      areaSquareMetres.applied(to: before.areaSquareMetres), isPublic ?? before.isPublic, now, zone,
      ground.soil?.rawValue, ground.dryBelow, ground.wetAbove)
    return try Garden(rows[0])
  }

  private static let update = Statement(
    "gardens.update",
    """
    UPDATE gardens SET name = $2, latitude = $3, longitude = $4, area_square_metres = $5, public = $6,
      updated_at = greatest($7, updated_at + interval '1 ms'), time_zone = CASE WHEN is_time_zone($8) THEN $8 END,
      soil = $9, dry_below = $10, wet_above = $11
    WHERE id = $1 RETURNING \(Garden.columns)
    """)
}
