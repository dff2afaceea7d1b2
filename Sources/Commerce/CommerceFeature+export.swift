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
      kind: "business",
      sql: """
        SELECT \(unescaped: Business.columns) FROM businesses
        WHERE owner_id = \(user) AND deleted_at IS NULL ORDER BY id
        """
    ) { row, json in try Business(row).write(&json) }
  }

  private static func products(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: "product",
      sql: """
        SELECT \(unescaped: Product.columns) FROM products JOIN businesses b ON b.id = products.business_id
        WHERE b.owner_id = \(user) AND b.deleted_at IS NULL AND products.deleted_at IS NULL ORDER BY products.id
        """
    ) { row, json in try Product(row).write(&json) }
  }

  private static func orders(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: "order",
      sql: """
        SELECT o.id, o.status, o.buyer_id, o.business_id, o.total, o.currency, o.created_at, o.updated_at, (
          SELECT json_agg(json_build_object(
            'productId', product_id, 'name', name, 'unit', unit, 'quantity', quantity,
            'unitPrice', json_build_object('amount', unit_price, 'currency', o.currency),
            'total', json_build_object('amount', total, 'currency', o.currency)) ORDER BY position)::text
          FROM order_lines WHERE order_id = o.id), o.note, o.contact, o.fulfilment
        FROM orders o
        WHERE o.buyer_id = \(user) OR o.business_id IN (SELECT id FROM businesses WHERE owner_id = \(user))
        ORDER BY o.id
        """
    ) { row, json in
      json.member("id", try row.decode(Identifier.self, 0))
      json.member("status", try row.decode(String.self, 1))
      json.member("buyerId", try row.decode(Identifier?.self, 2))
      json.member("businessId", try row.decode(Identifier.self, 3))
      json.key("lines")
      json.raw(Array((try row.decode(String?.self, 8) ?? "[]").utf8))
      write("total", try row.decode(Int64.self, 4), try row.decode(String.self, 5), &json)
      json.member("createdAt", try row.decode(Timestamp.self, 6))
      json.member("updatedAt", try row.decode(Timestamp.self, 7))
      json.member("note", try row.decode(String?.self, 9))
      for (name, column) in [("contact", 10), ("fulfilment", 11)] {
        json.key(name)
        json.raw(Array((try row.decode(String?.self, column) ?? "null").utf8))
      }
    }
  }

  private static func write(_ name: StaticString, _ amount: Int64, _ currency: String, _ json: inout JSONWriter) {
    json.key(name)
    json.object { json in
      json.member("amount", amount)
      json.member("currency", currency)
    }
  }
}
