import JSON
import Postgres
import Values
import Web

/// An order as both its parties see it.
struct Order: PageItem, RowDecodable {
  let id: Identifier
  var status: OrderStatus
  /// Nil once the buyer's account is erased.
  let buyer: Identifier?
  let business: Identifier
  var lines: [OrderLine]
  let total: Money
  let createdAt: Timestamp
  var updatedAt: Timestamp
  let note: String?
  /// As JSON text.
  let contact: String?
  /// As JSON text.
  let fulfilment: String?
  /// When it is cancelled unless it is paid before.
  let expiresAt: Timestamp?

  /// The columns that `init` reads, in their order; the lines have theirs.
  static let columns = """
    orders.id, orders.status, orders.buyer_id, orders.business_id, orders.total, orders.currency, orders.created_at, \
    orders.updated_at, orders.note, orders.contact, orders.fulfilment, orders.expires_at
    """

  init(
    id: Identifier, buyer: Identifier, new: OrderInput, lines: [OrderLine], total: Money, createdAt: Timestamp,
    expiresAt: Timestamp
  ) {
    self.id = id
    status = .pending
    self.buyer = buyer
    business = new.business
    note = new.note
    contact = new.contact?.json
    fulfilment = new.fulfilment?.json
    self.expiresAt = expiresAt
    self.lines = lines
    self.total = total
    self.createdAt = createdAt
    updatedAt = createdAt
  }

  /// Reads an order without its lines.
  init(_ columns: inout Columns) throws {
    id = try columns.next()
    status = try columns.next()
    buyer = try columns.next()
    business = try columns.next()
    total = try Money(&columns)
    createdAt = try columns.next()
    updatedAt = try columns.next()
    note = try columns.next()
    contact = try columns.next()
    fulfilment = try columns.next()
    expiresAt = try columns.next()
    lines = []
  }

  /// Reads an order with its lines. These are in `rows`, by the order's id, which is their first column.
  init(_ row: Row, lines rows: [Identifier: [Row]]) throws {
    try self.init(row)
    let currency = total.currency
    lines = try rows[id, default: []].map { row in
      var columns = row.columns
      _ = try columns.next(Identifier.self)
      return try OrderLine(&columns, currency: currency)
    }
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("status", status.rawValue)
    json.member("buyerId", buyer)
    json.member("businessId", business)
    json.member("lines", lines)
    json.member("total", total)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
    json.member("note", note)
    json.key("contact")
    json.raw(Array((contact ?? "null").utf8))
    json.key("fulfilment")
    json.raw(Array((fulfilment ?? "null").utf8))
    json.member("expiresAt", status == .pending ? expiresAt : nil)
  }

  static let schema = Schema.named(
    "Order",
    .object([
      .required("id", .identifier), .required("status", .cases(of: OrderStatus.self)),
      .required("buyerId", .nullable(.identifier), "Null once the buyer's account is erased."),
      .required("businessId", .identifier), .required("lines", .array(OrderLine.schema, minItems: 1)),
      .required("total", Money.schema), .required("createdAt", .timestamp), .required("updatedAt", .timestamp),
      .required("note", .nullable(.string())), .required("contact", .nullable(Contact.schema)),
      .required("fulfilment", .nullable(Fulfilment.schema)),
      .required("expiresAt", .nullable(.timestamp), "When the server cancels it unless it is paid before."),
    ]),
    example: #"""
      {"id":"019aa5c0-0000-7000-8000-000000000003","status":"pending","buyerId":"019aa5c0-0000-7000-8000-000000000004",\#
      "businessId":"019aa5c0-0000-7000-8000-000000000001","lines":[{"productId":"019aa5c0-0000-7000-8000-000000000002",\#
      "name":"Carrots","unit":"kg","quantity":2,"unitPrice":{"amount":350,"currency":"EUR"},\#
      "total":{"amount":700,"currency":"EUR"}}],"total":{"amount":700,"currency":"EUR"},\#
      "createdAt":"2026-11-21T09:30:00.000Z","updatedAt":"2026-11-21T09:30:00.000Z","note":null,\#
      "contact":{"name":"Grace","phone":null,"email":"grace@example.org"},\#
      "fulfilment":{"kind":"pickup","address":null,"from":"2026-11-22T09:00:00.000Z","to":null},\#
      "expiresAt":"2026-11-23T09:30:00.000Z"}
      """#)
}
