import HTTP
import JSON
import Postgres
import Values
import Web

/// What a seller has earned, by currency and day: SQL is the truth about money, metrics only hint at it.
struct OrderSummary: EndpointGroup {
  let context: LoopContext

  package var endpoints: [Endpoint] {
    [
      Endpoint(
        "getRevenue", method: .get, template: "/api/orders/summary", access: .user,
        summary: "Your revenue by currency and day",
        details: "Days are UTC. An order counts on the day it was paid, a refund on the day it was made.",
        tag: "Orders",
        parameters: [
          .query("from", .timestamp, "From this moment on; from the beginning unless given."),
          .query("to", .timestamp, "Up to but not including this moment."),
        ],
        success: Endpoint.Success(200, Self.summary, headers: ["ETag"]), scopes: [.read, .orders], handler: .async(show)
      )
    ]
  }

  private func show(_ call: Call) async throws -> Response {
    let query = try call.query()
    let (from, to) = (try query.moment("from"), try query.moment("to"))
    if let from, let to, from > to { throw Problem(.malformed, "from must not be after to.") }
    let rows = try await context.database.query(
      Self.byDay, try call.user.id, from ?? Timestamp(unixMilliseconds: .min), to ?? Timestamp(unixMilliseconds: .max))
    return try call.ok { json in
      json.key("items")
      try json.array { json in for row in rows { try json.object { try Self.write(row, &$0) } } }
    }
  }

  /// The sums come as text: those of many large orders are whole numbers beyond Int64.
  private static func write(_ row: Row, _ json: inout JSONWriter) throws {
    json.member("date", try row.decode(CivilDate.self, 0))
    json.member("currency", try row.decode(String.self, 1))
    json.member("orders", try row.decode(Int64.self, 2))
    for (column, name) in [(3, "paid"), (4, "refunded"), (5, "net")] {
      json.key(name)
      json.raw(try row.decode([UInt8].self, column))
    }
  }

  private static let byDay = Statement(
    "orders.summary",
    """
    SELECT day, currency, sum(orders)::bigint, sum(paid)::text, sum(refunded)::text, (sum(paid) - sum(refunded))::text
    FROM (
      SELECT (paid_at AT TIME ZONE 'UTC')::date AS day, currency, 1 AS orders, total AS paid, 0 AS refunded
      FROM orders JOIN businesses ON businesses.id = orders.business_id
      WHERE businesses.owner_id = $1 AND paid_at >= $2 AND paid_at < $3
      UNION ALL
      SELECT (refunded_at AT TIME ZONE 'UTC')::date, currency, 0, 0, total
      FROM orders JOIN businesses ON businesses.id = orders.business_id
      WHERE businesses.owner_id = $1 AND refunded_at >= $2 AND refunded_at < $3
    ) AS movements
    GROUP BY day, currency ORDER BY day, currency
    """)

  private static let summary = Schema.named(
    "OrderSummary",
    .object([
      .required(
        "items",
        .array(
          .named(
            "DailyRevenue",
            .object([
              .required("date", .string(format: "date"), "A day in UTC."), .required("currency", .string()),
              .required("orders", .integer(minimum: 0), "Orders paid that day."),
              .required("paid", .integer(minimum: 0), "Minor units."),
              .required("refunded", .integer(minimum: 0), "Minor units."),
              .required("net", .integer(), "Paid less refunded; may be negative."),
            ]))))
    ]), example: #"{"items":[{"date":"2026-11-21","currency":"EUR","orders":3,"paid":2450,"refunded":350,"net":2100}]}"#
  )
}

extension Query {
  /// A date-time, or a date for the beginning of its day in UTC; throws 400 for anything else.
  fileprivate func moment(_ name: String) throws -> Timestamp? {
    if let text = try value(name), let start = Timestamp("\(text)T00:00:00Z") { return start }
    return try timestamp(name)
  }
}
