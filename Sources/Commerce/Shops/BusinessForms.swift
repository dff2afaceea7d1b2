import JSON
import Postgres
import Values
import Web

/// A business that is to be opened.
package struct BusinessInput: JSONForm {
  /// The most open businesses of one owner: a list of what they sold looks at each of them.
  package static let maximumOfOwner = 1_000
  /// The most businesses that one owner may open in all: closed ones stay for their orders, and such a list looks at
  /// them too.
  static let maximumEver = 3_000

  package let name: String
  package let category: String
  package let description: String?
  package let location: Location?
  /// How goods may change hands.
  package let fulfilment: [FulfilmentKind]
  /// How long an order may stay unpaid, in hours.
  package let paymentWithin: Int64

  package init(_ fields: inout Fields) {
    name = fields.required("name", .name)
    category = fields.required("category", .category)
    description = fields.optional("description", .businessDescription)
    location = fields.optional("location", .location)
    fulfilment =
      fields.optional("fulfilment", .fulfilmentKinds, "The ways to hand over goods; pickup only by default.")
      ?? [.pickup]
    paymentWithin =
      fields.optional(
        "paymentWithin", .paymentHours,
        "The hours after which an unpaid order is cancelled; \(Business.defaultPaymentHours) by default.")
      ?? Business.defaultPaymentHours
  }

  /// A row of the table.
  package typealias Row = NewRow<BusinessInput>

  /// Inserts an owner's businesses, and returns their rows as `Business` reads them.
  @discardableResult
  package static func insert(
    _ rows: [Row], of owner: Identifier, in transaction: Transaction
  ) async throws(PostgresError) -> Rows {
    try await transaction.query(
      insert, owner, rows.map(\.id), rows.map(\.new.name), rows.map(\.new.category), rows.map(\.new.description),
      rows.map(\.new.location?.latitude), rows.map(\.new.location?.longitude), rows.map(\.new.fulfilment.hasPickup),
      rows.map(\.new.fulfilment.hasDelivery), rows.map(\.new.paymentWithin), rows.map(\.createdAt),
      rows.map(\.updatedAt))
  }

  /// Throws 409 when an owner has or had too many businesses, counting those that the transaction has made. No other
  /// transaction can make one for this owner until it ends.
  package static func checkBound(of owner: Identifier, in transaction: Transaction) async throws {
    try await UserLock.take(owner, in: transaction)
    try await bound.check(of: owner, in: transaction)
    try await boundEver.check(of: owner, in: transaction)
  }

  private static let bound = ListBound(
    "businesses.excess", of: "businesses WHERE owner_id = $1 AND deleted_at IS NULL", atMost: maximumOfOwner,
    "You may have at most \(maximumOfOwner) businesses. Close one first.")
  private static let boundEver = ListBound(
    "businesses.excessEver", of: "businesses WHERE owner_id = $1", atMost: maximumEver,
    "You may open at most \(maximumEver) businesses in all, closed ones included.")
  private static let insert = Statement(
    "businesses.insert",
    """
    INSERT INTO businesses
      (owner_id, id, name, category, description, latitude, longitude, pickup, delivery, payment_within, created_at,
      updated_at)
    SELECT $1, * FROM unnest(
      $2::uuid[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::bool[], $9::bool[], $10::int8[],
      $11::timestamptz[], $12::timestamptz[])
    RETURNING \(Business.columns)
    """)
}

/// A change of a business.
struct BusinessChange: JSONForm {
  let name: String?
  let category: String?
  let description: Patch<String>
  let location: Patch<LocationChange>
  let fulfilment: [FulfilmentKind]?
  let paymentWithin: Int64?

  init(_ fields: inout Fields) {
    name = fields.change("name", .name)
    category = fields.change("category", .category)
    description = fields.patch("description", .businessDescription)
    location = fields.patch("location", .locationChange)
    fulfilment = fields.change("fulfilment", .fulfilmentKinds)
    paymentWithin = fields.change("paymentWithin", .paymentHours)
  }

  /// Applies the change to `before`, whose row the transaction has locked, and returns the business as it is then.
  func write(over before: Business, at now: Timestamp, in transaction: Transaction) async throws -> Business {
    let place = try location.applied(to: before.location)
    let fulfilment = fulfilment ?? before.fulfilment
    let rows = try await transaction.query(
      Self.update, before.id, name ?? before.name, category ?? before.category,
      description.applied(to: before.description), place?.latitude, place?.longitude, fulfilment.hasPickup,
      fulfilment.hasDelivery, paymentWithin ?? before.paymentWithin, now)
    return try Business(rows[0])
  }

  private static let update = Statement(
    "businesses.update",
    """
    UPDATE businesses SET name = $2, category = $3, description = $4, latitude = $5, longitude = $6,
      pickup = $7, delivery = $8, payment_within = $9, updated_at = greatest($10, updated_at + interval '1 ms')
    WHERE id = $1 RETURNING \(Business.columns)
    """)
}

extension Rule where Value == String {
  package static var businessDescription: Rule { .text(0...2_000) }
  /// The category of a business.
  package static var category: Rule {
    Rule.string(1...40).checked(
      "must match \(Business.categoryPattern)", schema: .string(pattern: Business.categoryPattern),
      Business.isCategory)
  }
}

extension Rule where Value == Int64 {
  /// How long an order may stay unpaid, in hours: at most 90 days.
  static var paymentHours: Rule { .integer(1...2_160) }
}
