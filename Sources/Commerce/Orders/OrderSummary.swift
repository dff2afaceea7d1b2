import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// What a seller has earned, by currency and day: SQL is the truth about money, metrics only hint at it.
struct OrderSummary: EndpointGroup {
  /// The most days of a page, from the first one with a movement on.
  static let pageDays: Int64 = 366

  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "getRevenue", method: .get, template: "/api/orders/summary", access: .user,
        summary: "Your revenue by currency and day",
        details: """
          Days are UTC. An order counts on the day it was paid, a refund on the day it was made. A page covers at most \
          \(Self.pageDays) days.
          """,
        tag: "Orders",
        parameters: [
          .query("from", .timestamp, "The start, inclusive; the beginning by default."),
          .query("to", .timestamp, "The end, exclusive; open by default."),
          .query("cursor", .string(minLength: 1), "`nextCursor` of the previous page."),
        ],
        success: Endpoint.Success(
          200, .page(of: "OrderSummary", Self.day), headers: ["ETag", "Link"]),
        scopes: [.read, .orders], handler: .async(show))
    ]
  }

  private func show(_ call: Call) async throws -> Response {
    let query = try call.query()
    let (from, to) = (try query.moment("from"), try query.moment("to"))
    if let from, let to, from > to { throw Problem(.malformed, "from must not be after to.") }
    let user = try call.user.id
    let list = "summary:\(user):\(from?.description ?? ""):\(to?.description ?? "")"
    let start = try call.start(query, list: list) ?? from ?? Timestamp(unixMilliseconds: .min)
    let rows = try await context.longReads.read(for: call.client) {
      try await $0.query(Self.byDay, user, start, to ?? Timestamp(unixMilliseconds: .max))
    }
    let next = try rows.first?.decode(Timestamp?.self, 6).map { moment in
      var payload = CursorPayload()
      payload.append(moment)
      return context.cursors.seal(payload, list: list)
    }
    let body = try call.pageBody(
      { json in for row in rows { try json.object { try Self.write(row, &$0) } } }, next: next ?? nil)
    return call.list(body)
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

  /// What the user's businesses took or gave back, from `from` to before `to`, by an index that covers it.
  private static func movements(_ time: String, from: String, to: String) -> String {
    """
    FROM businesses JOIN orders ON orders.business_id = businesses.id
    WHERE businesses.owner_id = $1 AND \(time) >= \(from) AND \(time) < \(to)
    """
  }

  /// The first moment at or after `from` at which something moved, for each business: one look into an index each.
  private static func first(_ time: String, from: String) -> String {
    """
    SELECT moment.* FROM businesses CROSS JOIN LATERAL (
      SELECT \(time) FROM orders WHERE business_id = businesses.id AND \(time) >= \(from) AND \(time) < $3
      ORDER BY \(time) LIMIT 1
    ) AS moment WHERE businesses.owner_id = $1
    """
  }

  private static func first(from: String) -> String {
    "SELECT min(moment) FROM (\(first("paid_at", from: from)) UNION ALL \(first("refunded_at", from: from))) AS m (moment)"
  }

  static let byDay = Statement(
    "orders.summary",
    """
    WITH page AS MATERIALIZED (
      SELECT date_bin('1 day', moment, timestamptz '2000-01-01 00:00:00+00')
        + interval '24 hours' * \(pageDays) AS "end"
      FROM (\(first(from: "$2"))) AS f (moment)
    )
    SELECT day, currency, sum(orders)::bigint, sum(paid)::text, sum(refunded)::text, (sum(paid) - sum(refunded))::text,
      (\(first(from: "(SELECT \"end\" FROM page)")))
    FROM (
      SELECT (paid_at AT TIME ZONE 'UTC')::date AS day, currency, 1 AS orders, total AS paid, 0 AS refunded
      \(movements("paid_at", from: "$2", to: "least($3, (SELECT \"end\" FROM page))"))
      UNION ALL
      SELECT (refunded_at AT TIME ZONE 'UTC')::date, currency, 0, 0, total
      \(movements("refunded_at", from: "$2", to: "least($3, (SELECT \"end\" FROM page))"))
    ) AS movements
    GROUP BY day, currency ORDER BY day, currency
    """)

  private static let day = Schema.named(
    "DailyRevenue",
    .object([
      .required("date", .string(format: "date"), "A day in UTC."), .required("currency", .string()),
      .required("orders", .integer(minimum: 0), "Orders paid that day."),
      .required("paid", .integer(minimum: 0), "Minor units."),
      .required("refunded", .integer(minimum: 0), "Minor units."),
      .required("net", .integer(), "Paid less refunded; may be negative."),
    ]),
    example: #"{"date":"2026-11-21","currency":"EUR","orders":3,"paid":2450,"refunded":350,"net":2100}"#)
}

extension Call {
  /// The moment at which a page begins; nil for the first page.
  fileprivate func start(_ query: Query, list: String) throws -> Timestamp? {
    var after = try page(query, list: list).after
    return try after?.takeTimestamp()
  }
}

extension Query {
  /// Reads a date-time, or a date for the beginning of its day in UTC. Throws 400 for anything else.
  fileprivate func moment(_ name: String) throws -> Timestamp? {
    if let text = try value(name), let start = Timestamp("\(text)T00:00:00Z") { return start }
    return try timestamp(name)
  }
}
