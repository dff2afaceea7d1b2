import JSON
import Postgres
import Values
import Web

/// A product that is to be sold.
package struct ProductInput: JSONForm {
  /// The most products of a business at a time: making or renaming one renews the search words of all.
  package static let maximumOfBusiness = 2_000

  package let name: String
  package let price: Money
  package let unit: String
  package let stock: Int64?

  package init(_ fields: inout Fields) {
    name = fields.required("name", .name)
    price = fields.required("price", .price)
    unit = fields.required("unit", .unit, "What the price is for, such as kg.")
    stock = fields.optional("stock", .stock, "Unlimited by default.")
  }

  /// A row of the table: a new product, with its business, id and dates.
  package struct Row {
    package let id: Identifier
    package let business: Identifier
    package let new: ProductInput
    package let createdAt: Timestamp
    package let updatedAt: Timestamp

    package init(
      id: Identifier, business: Identifier, new: ProductInput, createdAt: Timestamp, updatedAt: Timestamp
    ) {
      self.id = id
      self.business = business
      self.new = new
      self.createdAt = createdAt
      self.updatedAt = updatedAt
    }
  }

  /// Inserts products into an owner's businesses, and returns their rows as `Product` reads them; none where the
  /// business is not there, or not the owner's.
  @discardableResult
  package static func insert(
    _ rows: [Row], of owner: Identifier, in transaction: Transaction
  ) async throws(PostgresError) -> Rows {
    try await transaction.query(
      insert, owner, rows.map(\.id), rows.map(\.business), rows.map(\.new.name), rows.map(\.new.price.amount),
      rows.map(\.new.price.currency.description), rows.map(\.new.unit), rows.map(\.new.stock),
      rows.map(\.createdAt), rows.map(\.updatedAt))
  }

  /// Checked after `insert`, which has locked the words of the business: no other transaction adds a product meanwhile.
  static let bound = ListBound(
    "products.excess", of: "products WHERE business_id = $1 AND deleted_at IS NULL ORDER BY id DESC",
    atMost: maximumOfBusiness, "This business has \(maximumOfBusiness) products already. Delete one first.")

  // The key share keeps the business from being deleted meanwhile.
  private static let insert = Statement(
    "products.insert",
    """
    INSERT INTO products (id, business_id, name, price_amount, currency, unit, stock, created_at, updated_at)
    SELECT p.id, businesses.id, p.name, amount, currency, unit, stock, created, updated
    FROM unnest(
      $2::uuid[], $3::uuid[], $4::text[], $5::int8[], $6::text[], $7::text[], $8::int8[], $9::timestamptz[],
      $10::timestamptz[]) AS p (id, business, name, amount, currency, unit, stock, created, updated)
    JOIN businesses ON businesses.id = business
    WHERE businesses.owner_id = $1 AND businesses.deleted_at IS NULL FOR KEY SHARE OF businesses
    RETURNING \(Product.columns)
    """)
}

/// A change of a product.
struct ProductChange: JSONForm {
  let name: String?
  let price: PriceChange?
  let unit: String?
  let stock: Patch<Int64>

  init(_ fields: inout Fields) {
    name = fields.change("name", .name)
    price = fields.change("price", .priceChange)
    unit = fields.change("unit", .unit)
    stock = fields.patch("stock", .stock, "Null makes it unlimited.")
  }

  /// Applies the change to `before`, whose row the transaction has locked, and returns the product as it is then.
  func write(over before: Product, at now: Timestamp, in transaction: Transaction) async throws -> Product {
    let price = price?.applied(to: before.price) ?? before.price
    let rows = try await transaction.query(
      Self.update, before.id, name ?? before.name, price.amount, price.currency.description, unit ?? before.unit,
      stock.applied(to: before.stock), now)
    return try Product(rows[0])
  }

  private static let update = Statement(
    "products.update",
    """
    UPDATE products SET name = $2, price_amount = $3, currency = $4, unit = $5, stock = $6,
      updated_at = greatest($7, updated_at + interval '1 ms')
    WHERE id = $1 RETURNING \(Product.columns)
    """)
}

extension Rule where Value == String {
  /// What a price is for.
  package static var unit: Rule { .string(1...40).nonblank }
}

extension Rule where Value == Int64 {
  package static var stock: Rule { .integer(0...Product.maximumStock) }
}
