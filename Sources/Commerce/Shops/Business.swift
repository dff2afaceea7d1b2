import JSON
import Postgres
import Values
import Web

/// A business that is to be opened.
package struct NewBusiness: JSONForm {
  /// The most open businesses of one owner: a list of what they sold looks at each of them.
  package static let maximumOfOwner = 1_000

  package let name: String
  package let category: String
  package let description: String?
  package let location: Location?
  /// How goods may change hands.
  package let fulfilment: [FulfilmentKind]
  /// How long an order may stay unpaid, in hours.
  package let paymentWithin: Int64

  package init(_ fields: inout Fields) {
    name = fields.required("name", .businessName)
    category = fields.required("category", .category)
    description = fields.optional("description", .businessDescription)
    location = fields.optional("location", .location)
    fulfilment =
      fields.optional("fulfilment", .fulfilmentKinds, "How goods may change hands; pickup alone unless given.")
      ?? [.pickup]
    paymentWithin =
      fields.optional("paymentWithin", .paymentHours, "After how many hours an unpaid order ends; 48 unless given.")
      ?? Business.defaultPaymentHours
  }

  /// Throws 409 when an owner has too many businesses, those counted in that the transaction has made; keeps others of
  /// theirs from being made until it ends.
  package static func checkBound(of owner: Identifier, in transaction: Transaction) async throws {
    try await UserLock.take(owner, in: transaction)
    guard try await transaction.query(open, owner)[0].decode(Int.self, 0) <= maximumOfOwner else {
      throw Problem(.conflict, "You may have at most \(maximumOfOwner) businesses. Close one first.")
    }
  }

  private static let open = Statement(
    "businesses.open", "SELECT count(*) FROM businesses WHERE owner_id = $1 AND deleted_at IS NULL")
}

/// What is to change of a business.
struct BusinessChange: JSONForm {
  let name: String?
  let category: String?
  let description: Patch<String>
  let location: Patch<LocationChange>
  let fulfilment: [FulfilmentKind]?
  let paymentWithin: Int64?

  init(_ fields: inout Fields) {
    name = fields.change("name", .businessName)
    category = fields.change("category", .category)
    description = fields.patch("description", .businessDescription)
    location = fields.patch("location", .locationChange)
    fulfilment = fields.change("fulfilment", .fulfilmentKinds)
    paymentWithin = fields.change("paymentWithin", .paymentHours)
  }
}

/// A business as everyone sees it.
struct Business: PageItem, RowDecodable {
  let id: Identifier
  /// Nil once the owner's account is erased; such a business is deleted too.
  let ownerID: Identifier?
  let name: String
  let category: String
  let description: String?
  let location: Location?
  let fulfilment: [FulfilmentKind]
  /// In hours.
  let paymentWithin: Int64
  private let createdAt: Timestamp
  private let updatedAt: Timestamp

  /// After how many hours an unpaid order ends, where the business says nothing.
  static let defaultPaymentHours: Int64 = 48

  /// The columns that `init` reads, in their order.
  static let columns = """
    id, owner_id, name, category, description, latitude, longitude, pickup, delivery, payment_within, created_at, \
    updated_at
    """

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    ownerID = try columns.next()
    name = try columns.next()
    category = try columns.next()
    description = try columns.next()
    location = Location(latitude: try columns.next(), longitude: try columns.next())
    fulfilment = [FulfilmentKind](pickup: try columns.next(), delivery: try columns.next())
    paymentWithin = try columns.next()
    createdAt = try columns.next()
    updatedAt = try columns.next()
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("ownerId", ownerID)
    json.member("name", name)
    json.member("category", category)
    json.member("description", description)
    json.member("location", location)
    json.member("fulfilment", fulfilment.map(\.rawValue))
    json.member("paymentWithin", paymentWithin)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
  }

  static let categoryPattern = "^[a-z][a-z0-9-]{0,39}$"

  /// Whether a text matches `categoryPattern`.
  static func isCategory(_ text: String) -> Bool {
    guard let first = text.utf8.first, first.isASCIILowercase, text.utf8.count <= 40 else { return false }
    return text.utf8.allSatisfy { $0.isASCIILowercase || $0.isASCIIDigit || $0 == UInt8(ascii: "-") }
  }

  static let schema = Schema.named(
    "Business",
    .object([
      .required("id", .identifier), .required("ownerId", .nullable(.identifier)), .required("name", .string()),
      .required("category", .string()), .required("description", .nullable(.string())),
      .required("location", .nullable(Location.schema)),
      .required("fulfilment", .array(.cases(of: FulfilmentKind.self)), "How goods may change hands."),
      .required("paymentWithin", .integer(minimum: 1), "After how many hours an unpaid order ends."),
      .required("createdAt", .timestamp),
      .required("updatedAt", .timestamp),
    ]),
    example: #"""
      {"id":"019aa5c0-0000-7000-8000-000000000001","ownerId":"019aa5c0-0000-7000-8000-000000000005","name":"Hill Farm",\#
      "category":"vegetables","description":null,"location":{"latitude":47.1,"longitude":8.5},\#
      "fulfilment":["pickup"],"paymentWithin":48,\#
      "createdAt":"2026-11-21T09:30:00.000Z","updatedAt":"2026-11-21T09:30:00.000Z"}
      """#)
}

extension Rule where Value == String {
  package static var businessName: Rule { .string(1...120).nonblank }
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
