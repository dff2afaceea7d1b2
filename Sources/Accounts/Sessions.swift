import HTTP
import Postgres
import Values
import Web

/// The list of a user's sessions, and how they end.
struct Sessions: EndpointGroup {
  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listSessions", method: .get, template: "/api/sessions", access: .user, summary: "Your sessions",
        tag: "Sessions",
        parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "SessionPage", Session.schema), headers: ["ETag", "Link"]),
        scopes: [], handler: .async(list)),
      Endpoint(
        "signOut", method: .delete, template: "/api/sessions/current", access: .user, summary: "Sign out",
        tag: "Sessions",
        success: Endpoint.Success(204), isGuarded: false, scopes: [], handler: .async(signOut)),
      Endpoint(
        "endSession", method: .delete, template: "/api/sessions/{id}", access: .user,
        summary: "End one of your sessions",
        tag: "Sessions", success: Endpoint.Success(204), isGuarded: false,
        scopes: [], handler: .async { call in try await end(call, try call.identifier("id")) }),
    ]
  }

  private func list(_ call: Call) async throws -> Response {
    let user = try call.user
    let page = try call.identifierPage(try call.query(), list: "sessions:\(user.id)")
    let rows = try await context.database.query(Self.byUser, user.id, page.before, page.rowLimit)
    return call.list(try page.body(call, rows) { try Session($0, current: user.session) })
  }

  private func signOut(_ call: Call) async throws -> Response {
    guard let session = try call.user.session else { throw Problem(.forbidden, "A token has no session.") }
    var response = try await end(call, session)
    // A token in the header says nothing of the session in the browser's cookie, which then stays.
    if call.request.headerCount("Authorization") == 0 { response.headers.append("Set-Cookie", SessionCookie.ending) }
    return response
  }

  private func end(_ call: Call, _ id: Identifier) async throws -> Response {
    let user = try call.user
    guard try await context.database.execute(Self.revoke, id, user.id, call.now) == 1 else {
      throw Problem(.notFound, "You have no session with this id.")
    }
    await context.sessions.ended([id])
    context.meters.action(.logout)
    return call.noContent()
  }

  /// Throws 401 when a session is over, whatever a loop still remembers. The caller has locked the user.
  static func requireAlive(_ session: Identifier, in transaction: Transaction) async throws {
    guard try await transaction.query(alive, session).isEmpty else { return }
    throw Problem(.unauthorized, "The session is over. Sign in again.")
  }

  /// Ends all sessions of a user except `kept`, and returns their ids, to be announced after the COMMIT. Without `now`
  /// they end by the database's clock, which all replicas share.
  static func end(
    _ transaction: Transaction, user: Identifier, except kept: Identifier?, at now: Timestamp?
  ) async throws -> [Identifier] {
    try await transaction.query(Self.revokeOthers, user, kept, now).map { try $0.decode(Identifier.self, 0) }
  }

  // MARK: SQL

  private static let byUser = Statement(
    "sessions.byUser",
    """
    SELECT \(Session.columns) FROM sessions
    WHERE user_id = $1 AND id < $2 AND revoked_at IS NULL AND expires_at > now() ORDER BY id DESC LIMIT $3
    """)
  private static let alive = Statement(
    "sessions.alive", "SELECT FROM sessions WHERE id = $1 AND revoked_at IS NULL AND expires_at > now()")
  private static let revoke = Statement(
    "sessions.revoke",
    """
    UPDATE sessions SET revoked_at = $3
    WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3
    """)
  private static let revokeOthers = Statement(
    "sessions.revokeOthers",
    """
    UPDATE sessions SET revoked_at = coalesce($3, now())
    WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL RETURNING id
    """)
}
