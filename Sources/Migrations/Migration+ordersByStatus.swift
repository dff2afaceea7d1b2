extension Migration {
  /// Indexes by party and status, so that a status that no order has is found at once.
  static let ordersByStatus = Migration(
    number: 23, name: "orders by status",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS orders_by_buyer_status",
      "CREATE INDEX CONCURRENTLY orders_by_buyer_status ON orders (buyer_id, status, id DESC)",
      "DROP INDEX CONCURRENTLY IF EXISTS orders_by_business_status",
      "CREATE INDEX CONCURRENTLY orders_by_business_status ON orders (business_id, status, id DESC)",
      // Including what a summary adds up, so that it reads the index alone.
      "DROP INDEX CONCURRENTLY IF EXISTS orders_paid_totals",
      """
      CREATE INDEX CONCURRENTLY orders_paid_totals ON orders (business_id, paid_at) INCLUDE (currency, total)
      WHERE paid_at IS NOT NULL
      """,
      "DROP INDEX CONCURRENTLY IF EXISTS orders_refunded_totals",
      """
      CREATE INDEX CONCURRENTLY orders_refunded_totals ON orders (business_id, refunded_at) INCLUDE (currency, total)
      WHERE refunded_at IS NOT NULL
      """,
      "DROP INDEX CONCURRENTLY IF EXISTS orders_paid",
      "DROP INDEX CONCURRENTLY IF EXISTS orders_refunded",
    ])
}
