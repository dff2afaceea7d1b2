import JSON
import Postgres
import Values
import Web

/// A product as everyone sees it.
package struct Product: PageItem, RowDecodable {
  /// The most units in stock: far too few for a sum to overflow when orders give theirs back.
  static let maximumStock: Int64 = 1_000_000_000_000

  package let id: Identifier
  let business: Identifier
  let name: String
  let price: Money
  let unit: String
  /// Units left; nil is without limit.
  let stock: Int64?
  private let createdAt: Timestamp
  private let updatedAt: Timestamp

  /// The columns that `init` reads, in their order.
  static let columns = """
    products.id, products.business_id, products.name, products.price_amount, products.currency, products.unit, \
    products.stock, products.created_at, products.updated_at
    """

  package init(_ columns: inout Columns) throws {
    id = try columns.next()
    business = try columns.next()
    name = try columns.next()
    price = try Money(&columns)
    unit = try columns.next()
    stock = try columns.next()
    createdAt = try columns.next()
    updatedAt = try columns.next()
  }

  package func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("businessId", business)
    json.member("name", name)
    json.member("price", price)
    json.member("unit", unit)
    json.member("stock", stock)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
  }

  static let schema = Schema.named(
    "Product",
    .object([
      .required("id", .identifier), .required("businessId", .identifier), .required("name", .string()),
      .required("price", Money.schema), .required("unit", .string()),
      .required("stock", .nullable(.integer(minimum: 0)), "Null if unlimited."),
      .required("createdAt", .timestamp),
      .required("updatedAt", .timestamp, "When its owner last changed it; sales do not count."),
    ]),
    example: #"""
      {"id":"019aa5c0-0000-7000-8000-000000000002","businessId":"019aa5c0-0000-7000-8000-000000000001","name":"Carrots",\#
      "price":{"amount":350,"currency":"EUR"},"unit":"kg","stock":40,"createdAt":"2026-11-21T09:30:00.000Z",\#
      "updatedAt":"2026-11-21T09:30:00.000Z"}
      """#)
}
