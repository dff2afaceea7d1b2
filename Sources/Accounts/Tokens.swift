import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// Personal access tokens, which users hand to programs that act for them. No token opens these endpoints.
struct Tokens: EndpointGroup {
  /// The most tokens of a user.
  static let maximumOfUser = 100

  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "createToken", method: .post, template: "/api/tokens", access: .user, summary: "Make a personal access token",
        details: """
          For a program that acts for you. It sends the token as a bearer token; the token's scopes say what it may \
          do. Only this answer shows the token. No token can make tokens, change a password, erase an account, change \
          channels, change with whom a garden is shared or whether it is public. Device keys that were made with a \
          token of the scope `write` stay valid when the token ends.
          """,
        tag: "Tokens", parameters: [.idempotencyKey()],
        // Without `expiresAt`: any date would be in the past one day.
        body: .json(PersonalTokenInput.self, example: #"{"name":"Grafana","scopes":["read"]}"#),
        success: Endpoint.Success(201, PersonalToken.schemaWithSecret, headers: ["Location"]), refusals: [.conflict],
        scopes: [], handler: .async(create)),
      Endpoint(
        "listTokens", method: .get, template: "/api/tokens", access: .user, summary: "Your personal access tokens",
        details: "Newest first; `lastUsedAt` is exact to a minute.", tag: "Tokens",
        parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "TokenPage", PersonalToken.schema), headers: ["ETag", "Link"]),
        scopes: [], handler: .async(list)),
      Endpoint(
        "deleteToken", method: .delete, template: "/api/tokens/{id}", access: .user,
        summary: "End a personal access token", tag: "Tokens", success: Endpoint.Success(204), isGuarded: false,
        scopes: [], handler: .async(delete)),
    ]
  }

  private func create(_ call: Call) async throws -> Response {
    let user = try call.user
    guard let session = user.session else { throw Problem(.forbidden, "A token has no session.") }
    let new = try call.form(PersonalTokenInput.self)
    if let end = new.expiresAt, end <= call.now {
      throw ValidationError("/expiresAt", "must be in the future")
    }
    let (id, key) = (context.makeIdentifier(), OpaqueKey.make(.personalToken))
    return try await call.makeOnce { transaction, _ in
      // One at a time for a user, so that the bound holds; and a transaction that ends sessions and tokens has then
      // ended both or neither.
      try await UserLock.take(user.id, in: transaction)
      try await Sessions.requireAlive(session, in: transaction)
      let rows = try await transaction.query(
        Self.insert, id, user.id, new.name, new.scopes.map(\.rawValue), key.digest, call.now, new.expiresAt)
      try await Self.bound.check(of: user.id, in: transaction)
      let body = try PersonalToken(rows[0]).body { $0.member("token", key.text) }
      return Made(location: "/api/tokens/\(id)", body: body, isSecret: true)
    }.response
  }

  private func list(_ call: Call) async throws -> Response {
    let user = try call.user
    let page = try call.identifierPage(try call.query(), list: "tokens:\(user.id)")
    let rows = try await context.database.query(Self.byUser, user.id, page.before, page.rowLimit)
    return call.list(try page.body(call, rows, PersonalToken.init))
  }

  private func delete(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user, try call.identifier("id"))
    guard try await context.database.execute(Self.deleteByID, id, user.id) == 1 else {
      throw Problem(.notFound, "You have no token with this id.")
    }
    await context.personalTokens.ended([id])
    return call.noContent()
  }

  /// Expired tokens are listed for another month, so that users see why a program stopped.
  static let expiry = Expiry(
    "expiry.tokens", from: "personal_tokens", where: "expires_at < now() - interval '30 days'")

  /// The ids of a user's tokens.
  static func ids(of user: Identifier, in transaction: Transaction) async throws -> [Identifier] {
    try await transaction.query(idsOfUser, user).map { try $0.decode(Identifier.self, 0) }
  }

  /// Ends all tokens of a user, and returns their ids, to be announced after the COMMIT.
  static func end(_ transaction: Transaction, user: Identifier) async throws -> [Identifier] {
    try await transaction.query(deleteAll, user).map { try $0.decode(Identifier.self, 0) }
  }

  private static let bound = ListBound(
    "tokens.excess", of: "personal_tokens WHERE user_id = $1 ORDER BY id DESC", atMost: maximumOfUser,
    "You have \(maximumOfUser) tokens. End one that you do not need.")
  private static let insert = Statement(
    "tokens.insert",
    """
    INSERT INTO personal_tokens (id, user_id, name, scopes, hash, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING \(PersonalToken.columns)
    """)
  private static let byUser = Statement(
    "tokens.byUser",
    "SELECT \(PersonalToken.columns) FROM personal_tokens WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
  private static let deleteByID = Statement(
    "tokens.delete", "DELETE FROM personal_tokens WHERE id = $1 AND user_id = $2")
  private static let idsOfUser = Statement("tokens.idsOfUser", "SELECT id FROM personal_tokens WHERE user_id = $1")
  private static let deleteAll = Statement(
    "tokens.deleteAll", "DELETE FROM personal_tokens WHERE user_id = $1 RETURNING id")
}
