import JSON
import Postgres
import Values
import Web

/// An order as both its parties see it.
struct Order: PageItem {
  let id: Identifier
  var status: OrderStatus
  /// Nil once the buyer's account is erased.
  let buyerID: Identifier?
  let businessID: Identifier
  var lines: [OrderLine]
  let total: Money
  let createdAt: Timestamp
  var updatedAt: Timestamp

  /// What `init(_: Row)` reads.
  static let columns = """
    orders.id, orders.status, orders.buyer_id, orders.business_id, orders.total, orders.currency, orders.created_at, \
    orders.updated_at
    """
  static let columnCount = 8

  init(
    id: Identifier, buyerID: Identifier, businessID: Identifier, lines: [OrderLine], total: Money, createdAt: Timestamp
  ) {
    self.id = id
    status = .pending
    self.buyerID = buyerID
    self.businessID = businessID
    self.lines = lines
    self.total = total
    self.createdAt = createdAt
    updatedAt = createdAt
  }

  /// Reads an order without its lines.
  init(_ row: Row) throws {
    id = try row.decode(Identifier.self, 0)
    guard let status = OrderStatus(rawValue: try row.decode(String.self, 1)) else {
      throw row[1].mismatch("a status of orders")
    }
    self.status = status
    buyerID = try row.decode(Identifier?.self, 2)
    businessID = try row.decode(Identifier.self, 3)
    total = try Money(row, amount: 4, currency: 5)
    createdAt = try row.decode(Timestamp.self, 6)
    updatedAt = try row.decode(Timestamp.self, 7)
    lines = []
  }

  /// Reads an order whose lines are among these rows of an order's id and a line.
  init(_ row: Row, lines rows: [Identifier: [Row]]) throws {
    try self.init(row)
    let currency = total.currency
    lines = try rows[id, default: []].map { try OrderLine($0, from: 1, currency: currency) }
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("status", status.rawValue)
    json.member("buyerId", buyerID)
    json.member("businessId", businessID)
    json.member("lines", lines)
    json.member("total", total)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
  }

  static let schema = Schema.named(
    "Order",
    .object([
      .required("id", .identifier), .required("status", .cases(of: OrderStatus.self)),
      .required("buyerId", .nullable(.identifier), "Null once the buyer's account is erased."),
      .required("businessId", .identifier), .required("lines", .array(OrderLine.schema, minItems: 1)),
      .required("total", Money.schema), .required("createdAt", .timestamp), .required("updatedAt", .timestamp),
    ]))
}

/// So much of one product, with name, unit and price as they were sold.
struct OrderLine: JSONWritable {
  let productID: Identifier
  let name: String
  let unit: String
  let quantity: Int64
  let unitPrice: Money
  let total: Money

  /// What `init(_:from:currency:)` reads.
  static let columns = """
    order_lines.product_id, order_lines.name, order_lines.unit, order_lines.quantity, order_lines.unit_price, \
    order_lines.total
    """

  init(productID: Identifier, name: String, unit: String, quantity: Int64, unitPrice: Money, total: Money) {
    self.productID = productID
    self.name = name
    self.unit = unit
    self.quantity = quantity
    self.unitPrice = unitPrice
    self.total = total
  }

  /// Reads the columns from `first` on; the currency is the order's.
  init(_ row: Row, from first: Int, currency: CurrencyCode) throws {
    productID = try row.decode(Identifier.self, first)
    name = try row.decode(String.self, first + 1)
    unit = try row.decode(String.self, first + 2)
    quantity = try row.decode(Int64.self, first + 3)
    unitPrice = Money(amount: try row.decode(Int64.self, first + 4), currency: currency)
    total = Money(amount: try row.decode(Int64.self, first + 5), currency: currency)
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("productId", productID)
      json.member("name", name)
      json.member("unit", unit)
      json.member("quantity", quantity)
      json.member("unitPrice", unitPrice)
      json.member("total", total)
    }
  }

  static let schema = Schema.named(
    "OrderLine",
    .object([
      .required("productId", .identifier), .required("name", .string()), .required("unit", .string()),
      .required("quantity", .integer(minimum: 1)), .required("unitPrice", Money.schema),
      .required("total", Money.schema),
    ]))
}
