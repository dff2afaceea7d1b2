import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// What administrators do: they see all accounts and may disable them.
struct Administration: EndpointGroup {
  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listAccounts", method: .get, template: "/api/admin/users", access: .administrator, summary: "All accounts",
        tag: "Administration", parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "AccountPage", Self.account), headers: ["ETag", "Link"]),
        handler: .async(list)),
      Endpoint(
        "updateAccount", method: .patch, template: "/api/admin/users/{id}", access: .administrator,
        summary: "Disable or enable an account",
        details: "Disabling ends all sessions of the account, and stops its devices, invitations and shop.",
        tag: "Administration",
        body: .mergePatch(AccountChange.self, example: #"{"disabled":true}"#),
        success: Endpoint.Success(200, Self.account, headers: ["ETag"]), refusals: [.conflict],
        handler: .async(change)),
    ]
  }

  private func list(_ call: Call) async throws -> Response {
    let page = try call.identifierPage(try call.query(), list: "admin.users")
    let rows = try await context.database.query(Self.all, page.before, page.rowLimit)
    return call.list(try page.body(call, rows, Account.init))
  }

  private func change(_ call: Call) async throws -> Response {
    let id = try call.identifier("id")
    let disabled = try call.form(AccountChange.self).disabled
    if disabled, try call.user.id == id { throw Problem(.conflict, "You cannot disable yourself.") }
    let (account, ended, tokens, devices) = try await context.database.transaction { transaction in
      guard let row = try await transaction.query(Self.lock, id).first else {
        throw Problem(.notFound, "There is no account with this id.")
      }
      let before = try Account(row)
      try call.requireMatch(before.body)
      let account = try Account(try await transaction.query(Self.setDisabled, id, disabled, call.now)[0])
      let ended = disabled ? try await Sessions.end(transaction, user: id, except: nil, at: call.now) : []
      let tokens = try await Tokens.ids(of: id, in: transaction)
      let devices = try await transaction.query(Self.devices, id).map { try $0.decode(Identifier.self, 0) }
      return (account, ended, tokens, devices)
    }
    await context.sessions.ended(ended)
    await context.personalTokens.ended(tokens)
    await context.deviceKeys.changed(devices)
    return call.ok(account.body)
  }

  /// An administrator's change of an account.
  private struct AccountChange: JSONForm {
    let disabled: Bool

    init(_ fields: inout Fields) { disabled = fields.required("disabled", .boolean) }
  }

  /// An account as administrators see it.
  private struct Account: PageItem, RowDecodable {
    let profile: Profile
    var id: Identifier { profile.id }
    let isDisabled: Bool

    init(_ columns: inout Columns) throws {
      profile = try Profile(&columns)
      isDisabled = try columns.next()
    }

    func write(_ json: inout JSONWriter) {
      profile.write(&json)
      json.member("disabled", isDisabled)
    }
  }

  private static let columns = Profile.columns + ", disabled"
  private static let all = Statement(
    "admin.users", "SELECT \(columns) FROM users WHERE id < $1 ORDER BY id DESC LIMIT $2")
  private static let lock = Statement(
    "admin.lock", "SELECT \(columns) FROM users WHERE id = $1 FOR NO KEY UPDATE")
  private static let setDisabled = Statement(
    "admin.disable", "UPDATE users SET disabled = $2, updated_at = $3 WHERE id = $1 RETURNING \(columns)")

  private static let devices = Statement(
    "admin.devices",
    "SELECT devices.id FROM devices JOIN gardens ON gardens.id = devices.garden_id WHERE gardens.owner_id = $1")

  private static let account = Schema.named(
    "Account",
    .object(Profile.members + [.required("disabled", .boolean)]), example: Profile.example + #","disabled":false}"#)
}
