import JSON
import Postgres
import Values
import Web

/// The lines of an export with what a user sells, and what was bought.
extension CommerceFeature {
  package func exportParts(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] {
    [Self.businesses(user), Self.products(user), Self.orders(user)]
  }

  private static func businesses(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: .business,
      sql: """
        SELECT \(unescaped: Business.columns) FROM businesses
        WHERE owner_id = \(user) AND deleted_at IS NULL ORDER BY id
        """
    ) { row, json in try Business(row).write(&json) }
  }

  private static func products(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: .product,
      sql: """
        SELECT \(unescaped: Product.columns) FROM products JOIN businesses b ON b.id = products.business_id
        WHERE b.owner_id = \(user) AND b.deleted_at IS NULL AND products.deleted_at IS NULL ORDER BY products.id
        """
    ) { row, json in try Product(row).write(&json) }
  }

  static func orders(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: .order,
      sql: """
        SELECT \(unescaped: Order.columns), \(unescaped: OrderLine.arrays)
        FROM orders JOIN order_lines ON order_lines.order_id = orders.id
        WHERE orders.id IN (
          SELECT id FROM orders WHERE buyer_id = \(user)
          UNION SELECT sold.id FROM businesses JOIN orders sold ON sold.business_id = businesses.id
          WHERE businesses.owner_id = \(user))
        GROUP BY orders.id ORDER BY orders.id
        """
    ) { row, json in
      var columns = row.columns
      var order = try Order(&columns)
      order.lines = try OrderLine.all(&columns, currency: order.total.currency)
      order.write(&json)
    }
  }
}
