import JSON
import Postgres
import Values
import Web

/// A member of a garden, or somebody who is invited to be one.
struct Member: PageItem {
  /// The columns that `init` reads, of `garden_members m` with the members' `users u`.
  static let columns = "m.id, m.role, m.user_id, u.display_name, m.email, m.created_at, m.expires_at"

  let id: Identifier
  let role: String
  let user: Identifier?
  private let name: String?
  private let email: String?
  private let createdAt: Timestamp
  private let expiresAt: Timestamp?

  /// `showsEmail` is for managers: only they see addresses.
  init(_ columns: inout Columns, showsEmail: Bool) throws {
    id = try columns.next()
    role = try columns.next()
    user = try columns.next()
    name = try columns.next()
    let email = try columns.next(String.self)
    self.email = showsEmail ? email : nil
    createdAt = try columns.next()
    expiresAt = try columns.next()
  }

  init(_ row: Row, showsEmail: Bool) throws {
    var columns = row.columns
    try self.init(&columns, showsEmail: showsEmail)
  }

  func write(_ json: inout JSONWriter) {
    json.member("id", id)
    json.member("role", role)
    json.member("userId", user)
    json.member("displayName", name)
    json.member("email", email)
    json.member("createdAt", createdAt)
    json.member("expiresAt", expiresAt)
  }

  private static let members: [Schema.Property] = [
    .required("id", .identifier), .required("role", .cases(of: MemberRole.self)),
    .required("userId", .nullable(.identifier), "Null until the invitation is accepted."),
    .required("displayName", .nullable(.string())),
    .required("email", .nullable(.string()), "The invited address; only managers see it."),
    .required("createdAt", .timestamp, "When the member joined, or was invited."),
    .required("expiresAt", .nullable(.timestamp), "When an invitation ends."),
  ]
  static let schema = Schema.named("Member", .object(members), example: example + "}")
  static let schemaWithToken = Schema.named(
    "Invitation",
    .object(
      members + [.required("token", .string(), "For the person invited; shown once, the server keeps no copy.")]),
    example: example + #","token":"tiv_…"}"#)
  private static let example = #"""
    {"id":"019aa5c0-0000-7000-8000-00000000000b","role":"editor","userId":null,"displayName":null,\#
    "email":"grace@example.org","createdAt":"2026-11-21T09:30:00.000Z","expiresAt":"2026-12-05T09:30:00.000Z"
    """#
}

/// A role of a member, who does not own the garden.
enum MemberRole: String, CaseIterable {
  case viewer, editor, manager
}
