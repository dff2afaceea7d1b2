import JSON
import Postgres
import Values
import Web

/// A session as its user sees it.
struct Session: PageItem {
  /// The columns that `init` reads, in their order.
  static let columns = "id, user_agent, client_address, created_at, last_used_at, expires_at"

  let id: Identifier
  private let userAgent: String?
  private let clientAddress: String
  private let createdAt: Timestamp
  private let lastUsedAt: Timestamp
  private let expiresAt: Timestamp
  private let isCurrent: Bool

  /// `current` is the session of the request; nil when it is this one.
  init(_ columns: inout Columns, current: Identifier? = nil) throws {
    id = try columns.next()
    userAgent = try columns.next()
    clientAddress = try columns.next()
    createdAt = try columns.next()
    lastUsedAt = try columns.next()
    expiresAt = try columns.next()
    isCurrent = current == nil || current == id
  }

  /// Reads a session from the first columns of a row.
  init(_ row: Row, current: Identifier? = nil) throws {
    var columns = row.columns
    try self.init(&columns, current: current)
  }

  /// When a session expires that is used at `now` and not again.
  static func expiry(from now: Timestamp, _ context: LoopContext) -> Timestamp {
    now.advanced(byDays: Int64(context.configuration.accounts.refreshTokenDays))
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("userAgent", userAgent)
    json.member("clientAddress", clientAddress)
    json.member("createdAt", createdAt)
    json.member("lastUsedAt", lastUsedAt)
    json.member("expiresAt", expiresAt)
    json.member("current", isCurrent)
  }

  static let schema = Schema.named(
    "Session",
    .object([
      .required("id", .identifier), .required("userAgent", .nullable(.string())),
      .required("clientAddress", .string()), .required("createdAt", .timestamp), .required("lastUsedAt", .timestamp),
      .required("expiresAt", .timestamp), .required("current", .boolean, "Whether this request was made with it."),
    ]),
    example: #"""
      {"id":"019aa5c0-0000-7000-8000-000000000008","userAgent":"curl/8.5.0","clientAddress":"203.0.113.7",\#
      "createdAt":"2026-11-21T09:30:00.000Z","lastUsedAt":"2026-11-21T09:30:00.000Z",\#
      "expiresAt":"2026-12-21T09:30:00.000Z","current":true}
      """#)
}
