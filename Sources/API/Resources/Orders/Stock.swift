import Postgres
import Values

/// So many of each product, taken from stock and given back. Rows are always locked in the order of their ids, so that
/// orders of the same products wait for each other and never in a circle.
struct Stock {
  private let products: [Identifier]
  private let quantities: [Int64]

  /// Products without a limit are left alone, so they may be among these.
  init(_ quantities: [Identifier: Int64]) {
    products = quantities.keys.sorted()
    self.quantities = products.map { quantities[$0]! }
  }

  /// Takes all of it; false when there is not enough of something, and then the transaction must not be committed.
  func take(in transaction: Transaction) async throws -> Bool {
    if products.isEmpty { return true }
    try await lock(in: transaction)
    return try await transaction.execute(Self.take, products, quantities) == products.count
  }

  /// Gives all of it back.
  func giveBack(in transaction: Transaction) async throws {
    try await lock(in: transaction)
    try await transaction.execute(Self.giveBack, products, quantities)
  }

  private func lock(in transaction: Transaction) async throws {
    if products.count > 1 { try await transaction.execute(Self.lock, products) }
  }

  private static let lock = Statement(
    "stock.lock", "SELECT 1 FROM products WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE")
  private static let take = Statement(
    "stock.take",
    """
    UPDATE products SET stock = stock - quantity FROM unnest($1, $2) AS wanted (product, quantity)
    WHERE id = product AND deleted_at IS NULL AND (stock IS NULL OR stock >= quantity)
    """)
  private static let giveBack = Statement(
    "stock.giveBack",
    """
    UPDATE products SET stock = stock + quantity FROM unnest($1, $2) AS returned (product, quantity)
    WHERE id = product AND stock IS NOT NULL
    """)
}
