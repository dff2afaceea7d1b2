import JSON
import Postgres
import Values
import Web

/// A quantity of one product, with name, unit and price as they were sold.
struct OrderLine: JSONWritable {
  let product: Identifier
  let name: String
  let unit: String
  let quantity: Int64
  let unitPrice: Money
  let total: Money

  /// The columns that `init` reads, in their order.
  static let columns = """
    order_lines.product_id, order_lines.name, order_lines.unit, order_lines.quantity, order_lines.unit_price, \
    order_lines.total
    """

  init(product: Identifier, name: String, unit: String, quantity: Int64, unitPrice: Money, total: Money) {
    self.product = product
    self.name = name
    self.unit = unit
    self.quantity = quantity
    self.unitPrice = unitPrice
    self.total = total
  }

  /// Reads the next columns; the currency is the order's.
  init(_ columns: inout Columns, currency: CurrencyCode) throws {
    product = try columns.next()
    name = try columns.next()
    unit = try columns.next()
    quantity = try columns.next()
    unitPrice = Money(amount: try columns.next(), currency: currency)
    total = Money(amount: try columns.next(), currency: currency)
  }

  /// Each of `columns` as an array over a group's lines, in the order of these.
  static let arrays = columns.split(separator: ", ").map { "array_agg(\($0) ORDER BY order_lines.position)" }
    .joined(separator: ", ")

  /// Reads lines from the columns of `arrays`; the currency is the order's.
  static func all(_ columns: inout Columns, currency: CurrencyCode) throws -> [OrderLine] {
    let products: [Identifier] = try columns.next()
    let (names, units): ([String], [String]) = (try columns.next(), try columns.next())
    let (quantities, prices, totals): ([Int64], [Int64], [Int64]) = (
      try columns.next(), try columns.next(), try columns.next()
    )
    return products.indices.map { index in
      OrderLine(
        product: products[index], name: names[index], unit: units[index], quantity: quantities[index],
        unitPrice: Money(amount: prices[index], currency: currency),
        total: Money(amount: totals[index], currency: currency))
    }
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("productId", product)
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
