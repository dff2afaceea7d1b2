import JSON
import Postgres
import Values
import Web

/// A business as everyone sees it.
struct Business: PageItem, RowDecodable {
  let id: Identifier
  /// Nil once the owner's account is erased; such a business is deleted too.
  let owner: Identifier?
  let name: String
  let category: String
  let description: String?
  let location: Location?
  let fulfilment: [FulfilmentKind]
  /// How long an order may stay unpaid, in hours.
  let paymentWithin: Int64
  private let createdAt: Timestamp
  private let updatedAt: Timestamp

  /// How long an order may stay unpaid where the business does not say, in hours.
  static let defaultPaymentHours: Int64 = 48

  /// The columns that `init` reads, in their order.
  static let columns = """
    id, owner_id, name, category, description, latitude, longitude, pickup, delivery, payment_within, created_at, \
    updated_at
    """

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    owner = try columns.next()
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
    json.member("ownerId", owner)
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
      .required("fulfilment", .array(.cases(of: FulfilmentKind.self)), "The ways to hand over goods."),
      .required("paymentWithin", .integer(minimum: 1), "The hours after which an unpaid order is cancelled."),
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
