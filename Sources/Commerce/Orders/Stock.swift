import Postgres
import Values

/// Quantities of products to be taken from stock. Rows are always locked in the order of their ids, so that orders of
/// the same products wait for each other and never deadlock.
struct Stock {
  private let products: [Identifier]
  private let quantities: [Int64]

  init(_ quantities: [Identifier: Int64]) {
    products = quantities.keys.sorted()
    self.quantities = products.map { quantities[$0]! }
  }

  /// Takes all quantities. Returns the products that they were taken from, without those whose stock has no limit any
  /// more. Nil when there is not enough of something: then the transaction must not be committed.
  func take(in transaction: Transaction) async throws -> Set<Identifier>? {
    if products.isEmpty { return [] }
    if products.count > 1 { try await transaction.execute(Self.lock, products) }
    let rows = try await transaction.query(Self.take, products, quantities)
    guard rows.count == products.count else { return nil }
    return Set(try rows.filter { try $0.decode(Bool.self, 1) }.map { try $0.decode(Identifier.self, 0) })
  }

  /// Gives back what the orders have taken, up to the most that may be in stock. A product that has lost its limit
  /// since has nothing to be added to.
  static func giveBack(of orders: [Identifier], in transaction: Transaction) async throws {
    try await transaction.execute(lockTaken, orders)
    try await transaction.execute(giveBack, orders)
  }

  private static let lock = Statement(
    "stock.lock", "SELECT 1 FROM products WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE")
  private static let take = Statement(
    "stock.take",
    """
    UPDATE products SET stock = stock - quantity FROM unnest($1, $2) AS wanted (product, quantity)
    WHERE id = product AND deleted_at IS NULL AND (stock IS NULL OR stock >= quantity)
    RETURNING id, stock IS NOT NULL
    """)
  private static let lockTaken = Statement(
    "stock.lockTaken",
    """
    SELECT 1 FROM products WHERE id IN (SELECT product_id FROM order_lines WHERE order_id = ANY ($1) AND stock_taken)
    ORDER BY id FOR NO KEY UPDATE
    """)
  private static let giveBack = Statement(
    "stock.giveBack",
    """
    UPDATE products SET stock = least(stock + quantity, \(Product.maximumStock)) FROM (
      SELECT product_id, sum(quantity)::bigint AS quantity FROM order_lines
      WHERE order_id = ANY ($1) AND stock_taken GROUP BY product_id
    ) AS taken
    WHERE products.id = product_id AND stock IS NOT NULL
    """)
}
