import JSON
import Postgres
import Values

/// One kind of line: where its rows come from, and how each is written.
struct ExportPart {
  let kind: String
  /// The most rows that are in memory at a time: few, since some have texts of ten thousand characters.
  var chunkRows = 100
  let sql: SQL
  let write: (Row, inout JSONWriter) throws -> Void

  /// All parts, in an order in which nothing is named before its own line. Readings are raw from `rawFrom` on.
  static func all(of user: Identifier, rawFrom: Timestamp) -> [ExportPart] {
    [
      profile(user), gardens(user), devices(user), businesses(user), products(user), orders(user), insights(user),
      readings(user, rawFrom), hours(user, rawFrom),
    ]
  }

  private static func profile(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: "profile",
      sql: "SELECT id, email, display_name, locale, role, created_at, updated_at FROM users WHERE id = \(user)"
    ) { row, json in try Profile(row).write(&json) }
  }

  private static func gardens(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: "garden", sql: "SELECT \(unescaped: Garden.columns) FROM gardens WHERE owner_id = \(user) ORDER BY id"
    ) { row, json in try Garden(row).write(&json) }
  }

  private static func devices(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: "device",
      sql: """
        SELECT \(unescaped: Device.columns) FROM devices JOIN gardens ON gardens.id = devices.garden_id
        WHERE gardens.owner_id = \(user) ORDER BY devices.id
        """
    ) { row, json in
      let device = try Device(row, now: Timestamp(unixMilliseconds: 0))
      json.member("id", device.id)
      json.member("gardenId", device.garden)
      json.member("name", device.name)
      json.member("sensorTypes", device.sensorTypes)
      json.member("lastSeenAt", device.lastSeenAt)
      json.member("createdAt", device.createdAt)
      json.member("updatedAt", device.updatedAt)
    }
  }

  private static func insights(_ user: Identifier) -> ExportPart {
    ExportPart(
      kind: "insight",
      sql: """
        SELECT \(unescaped: Insight.columns) FROM insights
        WHERE garden_id IN (SELECT id FROM gardens WHERE owner_id = \(user)) ORDER BY id
        """
    ) { row, json in try Insight(row).write(&json) }
  }

  // MARK: Commerce

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
          FROM order_lines WHERE order_id = o.id)
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
    }
  }

  private static func write(_ name: StaticString, _ amount: Int64, _ currency: String, _ json: inout JSONWriter) {
    json.key(name)
    json.object { json in
      json.member("amount", amount)
      json.member("currency", currency)
    }
  }

  // MARK: Readings

  // OFFSET 0 keeps the planner from reading everybody's readings: one walk along the index for each device.
  private static func readings(_ user: Identifier, _ rawFrom: Timestamp) -> ExportPart {
    ExportPart(
      kind: "reading", chunkRows: 1_000,
      sql: """
        SELECT r.device_id, r.sensor_type, r.measured_at, r.value
        FROM gardens g JOIN devices d ON d.garden_id = g.id CROSS JOIN LATERAL (
          SELECT * FROM readings WHERE device_id = d.id AND measured_at >= \(rawFrom) OFFSET 0) r
        WHERE g.owner_id = \(user)
        """
    ) { row, json in
      json.member("deviceId", try row.decode(Identifier.self, 0))
      json.member("sensorType", try row.decode(String.self, 1))
      json.member("value", try row.decode(Double.self, 3))
      json.member("measuredAt", try row.decode(Timestamp.self, 2))
    }
  }

  private static func hours(_ user: Identifier, _ rawFrom: Timestamp) -> ExportPart {
    ExportPart(
      kind: "hour", chunkRows: 1_000,
      sql: """
        SELECT r.device_id, r.sensor_type, r.start, r.min, r.max, r.sum, r.count
        FROM gardens g JOIN devices d ON d.garden_id = g.id CROSS JOIN LATERAL (
          SELECT * FROM readings_1h WHERE device_id = d.id AND start < \(rawFrom) OFFSET 0) r
        WHERE g.owner_id = \(user)
        """
    ) { row, json in
      json.member("deviceId", try row.decode(Identifier.self, 0))
      json.member("sensorType", try row.decode(String.self, 1))
      json.member("start", try row.decode(Timestamp.self, 2))
      json.member("min", try row.decode(Double.self, 3))
      json.member("max", try row.decode(Double.self, 4))
      json.member("sum", try row.decode(Double.self, 5))
      json.member("count", try row.decode(Int64.self, 6))
    }
  }
}
