import JSON
import Postgres
import Secrets
import Values
import Web

/// An account as its user sees it.
struct Profile: PageItem, RowDecodable {
  /// The columns that `init` reads, in their order.
  static let columns = "id, email, display_name, locale, role, created_at, updated_at"

  let id: Identifier
  let email: String
  let displayName: String
  let locale: String?
  let role: Role
  let createdAt: Timestamp
  let updatedAt: Timestamp

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    email = try columns.next()
    displayName = try columns.next()
    locale = try columns.next()
    role = try columns.next()
    createdAt = try columns.next()
    updatedAt = try columns.next()
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("email", email)
    json.member("displayName", displayName)
    json.member("locale", locale)
    json.member("role", role.rawValue)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
  }

  static let members: [Schema.Property] = [
    .required("id", .identifier), .required("email", .string(format: "idn-email")),
    .required("displayName", .line(1...80)), .required("locale", .nullable(.string())),
    .required("role", .cases(of: Role.self)), .required("createdAt", .timestamp), .required("updatedAt", .timestamp),
  ]
  static let schema = Schema.named("Profile", .object(members), example: example + "}")
  /// An example without its closing brace, so that members can be added.
  static let example = #"""
    {"id":"019aa5c0-0000-7000-8000-000000000005","email":"ada@example.org","displayName":"Ada","locale":"en-GB","role":"user",\#
    "createdAt":"2026-11-21T09:30:00.000Z","updatedAt":"2026-11-21T09:30:00.000Z"
    """#
}
