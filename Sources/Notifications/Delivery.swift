import JSON
import Postgres
import Values
import Web

/// News on its way through one channel, as the channel's owner sees it.
struct Delivery: PageItem, RowDecodable {
  enum Status: String, CaseIterable, PostgresEnumeration {
    case pending, delivered
    /// It was tried for a day, or what it tells of is over.
    case expired
    /// Its channel was switched off.
    case dropped
  }

  let id: Identifier
  let type: String
  let severity: Severity
  let title: String
  let status: Status
  let attempts: Int64
  let attemptedAt: Timestamp?
  let fault: String?
  let createdAt: Timestamp
  let endedAt: Timestamp?

  /// The columns that `init` reads, in their order.
  static let columns = "id, type, severity, title, status, attempts, attempted_at, fault, created_at, ended_at"

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    type = try columns.next()
    severity = try columns.next()
    title = try columns.next()
    status = try columns.next()
    attempts = try columns.next()
    attemptedAt = try columns.next()
    fault = try columns.next()
    createdAt = try columns.next()
    endedAt = try columns.next()
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("type", type)
    json.member("severity", severity.rawValue)
    json.member("title", title)
    json.member("status", status.rawValue)
    json.member("attempts", attempts)
    json.member("attemptedAt", attemptedAt)
    json.member("fault", fault)
    json.member("createdAt", createdAt)
    json.member("endedAt", endedAt)
  }

  static let schema = Schema.named(
    "Delivery",
    .object([
      .required("id", .identifier, "For a webhook its `webhook-id`, unless a digest brought it."),
      .required("type", .string()), .required("severity", .cases(of: Severity.self)), .required("title", .string()),
      .required("status", .cases(of: Status.self, named: "DeliveryStatus")),
      .required("attempts", .integer(minimum: 0)), .required("attemptedAt", .nullable(.timestamp)),
      .required("fault", .nullable(.string()), "Why the last attempt failed."),
      .required("createdAt", .timestamp), .required("endedAt", .nullable(.timestamp)),
    ]),
    example: #"""
      {"id":"019aa5c0-0000-7000-8000-000000000011","type":"insight.created","severity":"warning",\#
      "title":"Frost tonight","status":"delivered","attempts":1,"attemptedAt":"2026-11-21T16:05:01.000Z","fault":null,\#
      "createdAt":"2026-11-21T16:05:00.000Z","endedAt":"2026-11-21T16:05:01.000Z"}
      """#)
}
