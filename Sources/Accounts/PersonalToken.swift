import JSON
import Postgres
import Values
import Web

/// A token that is to be made.
struct PersonalTokenInput: JSONForm {
  let name: String
  let scopes: [TokenScope]
  let expiresAt: Timestamp?

  init(_ fields: inout Fields) {
    name = fields.required("name", .name, "What it is for.")
    scopes = fields.required("scopes", .tokenScopes)
    expiresAt = fields.optional("expiresAt", .timestamp, "When it expires; never by default.")
  }
}

extension Rule where Value == [TokenScope] {
  /// The scopes of a token, each at most once.
  static var tokenScopes: Rule { .set(1...TokenScope.allCases.count, of: .oneOf(TokenScope.self), "scope") }
}

/// A personal access token as its user sees it.
struct PersonalToken: PageItem, RowDecodable {
  /// The columns that `init` reads, in their order.
  static let columns = "id, name, scopes, created_at, expires_at, last_used_at"

  let id: Identifier
  let name: String
  let scopes: [String]
  let createdAt: Timestamp
  let expiresAt: Timestamp?
  let lastUsedAt: Timestamp?

  init(_ columns: inout Columns) throws {
    id = try columns.next()
    name = try columns.next()
    scopes = try columns.next([String].self)
    createdAt = try columns.next()
    expiresAt = try columns.next()
    lastUsedAt = try columns.next()
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("name", name)
    json.member("scopes", scopes)
    json.member("createdAt", createdAt)
    json.member("expiresAt", expiresAt)
    json.member("lastUsedAt", lastUsedAt)
  }

  private static let members: [Schema.Property] = [
    .required("id", .identifier), .required("name", .name),
    .required("scopes", .array(.cases(of: TokenScope.self))), .required("createdAt", .timestamp),
    .required("expiresAt", .nullable(.timestamp)), .required("lastUsedAt", .nullable(.timestamp)),
  ]
  static let schema = Schema.named("PersonalToken", .object(members), example: example + "}")
  static let schemaWithSecret = Schema.named(
    "PersonalTokenWithSecret",
    .object(members + [.required("token", .string(), "Shown once; the server keeps no copy.")]),
    example: example + #","token":"tpt_…"}"#)
  private static let example = #"""
    {"id":"019aa5c0-0000-7000-8000-00000000000a","name":"Grafana","scopes":["read"],\#
    "createdAt":"2026-11-21T09:30:00.000Z","expiresAt":"2027-11-21T00:00:00.000Z","lastUsedAt":null
    """#
}
