import HTTP
import JSON
import Postgres
import Secrets
import Settings
import Values
import Web

/// Signing in and out: short access tokens, refresh tokens that are good for one use, and the list of sessions.
struct Sessions: EndpointGroup {
  let context: LoopContext
  let throttle: LoginThrottle
  let passwords: MemberPasswords

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "signIn", method: .post, template: "/api/sessions", access: .open, summary: "Sign in", tag: "Sessions",
        body: .json(
          SignIn.self, example: #"{"email":"ada@example.org","password":"correct horse battery"}"#),
        success: Endpoint.Success(201, Self.pair, headers: ["Location"]),
        refusals: [.unauthorized, .tooManyFailures], handler: .async(signIn)),
      Endpoint(
        "signInByCookie", method: .post, template: "/api/sessions/cookie", access: .open,
        summary: "Sign in on this server's pages",
        details: """
          For a browser on a page of this server: the session's key is the cookie `__Host-terroir`, which no script can \
          read. It opens what an access token opens, for as long as the session is used; what changes something has to \
          come with the `Sec-Fetch-Site` or `Origin` of this server's own pages.
          """,
        tag: "Sessions",
        body: .json(
          SignIn.self, example: #"{"email":"ada@example.org","password":"correct horse battery"}"#),
        success: Endpoint.Success(201, SessionView.schema, headers: ["Location", "Set-Cookie"]),
        refusals: [.unauthorized, .forbidden, .tooManyFailures], handler: .async(signInByCookie)),
      Endpoint(
        "refreshTokens", method: .post, template: "/api/sessions/refresh", access: .open, summary: "Renew your tokens",
        details: """
          A refresh token is good for one use. Should the answer be lost, the same request gets the same token again, for \
          10 seconds and from the same address; later, or from elsewhere, a token that is used again ends its session.
          """,
        tag: "Sessions",
        body: .json(TokenRefresh.self, example: #"{"refreshToken":"trt_…"}"#),
        success: Endpoint.Success(200, Self.pair), refusals: [.unauthorized], handler: .async(refresh)),
      Endpoint(
        "listSessions", method: .get, template: "/api/sessions", access: .user, summary: "Your sessions",
        tag: "Sessions",
        parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "SessionPage", SessionView.schema), headers: ["ETag", "Link"]),
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

  // MARK: Signing in

  private func signIn(_ call: Call) async throws -> Response {
    let account = try await account(call)
    let key = OpaqueKey.make(.refreshToken)
    let session = try await begin(call, account, by: Self.insert, key)
    return call.secret(
      .created, location: "/api/sessions/\(session.id)", pair(account.id, account.role, session, key, call.now))
  }

  /// That a page of another site signs someone in, as somebody else, is not wanted either.
  private func signInByCookie(_ call: Call) async throws -> Response {
    try SessionCookie.requireOwnPage(call.request)
    let key = OpaqueKey.make(.sessionKey)
    let session = try await begin(call, try await account(call), by: Self.insertWithKey, key)
    var response = call.secret(.created, location: "/api/sessions/\(session.id)", session.body)
    response.headers.append("Set-Cookie", SessionCookie.setting(key))
    return response
  }

  /// An account, and the hash of its password as it was when what was sent was checked against it.
  private typealias Account = (id: Identifier, role: Role, hash: String)

  /// Whose email address and password were sent; throws 401 when they are nobody's.
  private func account(_ call: Call) async throws -> Account {
    let form = try call.form(SignIn.self)
    let (email, password) = (form.email.asciiLowercased, form.password)
    let known = try await throttle.attempt(account: email, from: call.clientAddress) {
      let row = try await context.database.query(Self.userByEmail, email).first
      let hash = try row.map { try $0.decode(String.self, 2) }
      // As long for an unknown account as for a known one.
      let isRight = try await passwords.verify(password, against: hash, from: call.clientAddress)
      if !isRight { context.meters.action(.loginFailed, hasUser: row != nil) }
      return isRight ? row : nil
    }
    guard let row = known, !(try row.decode(Bool.self, 3)) else {
      if known != nil { context.meters.action(.loginFailed) }
      throw Self.badCredentials
    }
    let (id, role, hash, _) = try row.decode((Identifier.self, String.self, String.self, Bool.self))
    return (id, Role(rawValue: role) ?? .user, hash)
  }

  /// Begins a session, with the key by which its holder goes on having it; throws 401 when the account's password is
  /// another one by now, or it is disabled or gone.
  private func begin(
    _ call: Call, _ account: Account, by statement: Statement, _ key: OpaqueKey
  ) async throws -> SessionView {
    let agent = call.request.header("User-Agent").map { String($0.prefix(256)) }
    let rows = try await context.database.write(
      statement, context.makeIdentifier(), account.id, agent, call.clientAddress.text, call.now, expiry(call.now),
      key.digest, account.hash)
    guard let row = rows.first else {
      context.meters.action(.loginFailed)
      throw Self.badCredentials
    }
    context.meters.action(.login)
    return try SessionView(row)
  }

  private static var badCredentials: Problem {
    Problem(.unauthorized, "The email address or the password is wrong.")
  }

  // MARK: Renewing

  private enum Renewal {
    case renewed(Identifier, Role, SessionView, OpaqueKey)
    case reused(session: Identifier)
    case refused
  }

  private func refresh(_ call: Call) async throws -> Response {
    guard let old = OpaqueKey(try call.form(TokenRefresh.self).refreshToken, .refreshToken) else {
      throw Self.badRefresh
    }
    switch try await renew(old, from: call.clientAddress.network.text, call.now) {
    case .renewed(let user, let role, let session, let new):
      context.meters.action(.refresh)
      return call.secret(.ok, pair(user, role, session, new, call.now))
    case .reused(let session):
      context.logger.log(.warning, "A refresh token was used twice; its session is over") {
        $0.field("session", session)
      }
      await context.sessions.ended([session])
      throw Self.badRefresh
    case .refused: throw Self.badRefresh
    }
  }

  /// Uses up the old token and notes the new one, in one transaction. That a token comes back is committed as well:
  /// the session is over, unless its holder cannot have heard of the new one.
  private func renew(_ old: OpaqueKey, from network: String, _ now: Timestamp) async throws -> Renewal {
    try await context.database.transaction { transaction in
      guard let used = try await transaction.query(Self.useToken, old.digest, now, network).first else {
        for new in context.succession.candidates(for: old) {
          guard let row = try await transaction.query(Self.renewedSession, old.digest, network, new.digest).first else {
            continue
          }
          return try Self.renewed(row, new)
        }
        guard let known = try await transaction.query(Self.revokeByToken, old.digest, now).first else {
          return .refused
        }
        return .reused(session: try known.decode(Identifier.self, 0))
      }
      let id = try used.decode(Identifier.self, 0)
      let new = context.succession.successor(of: old)
      guard let row = try await transaction.query(Self.renewSession, id, now, expiry(now), new.digest).first else {
        return .refused
      }
      return try Self.renewed(row, new)
    }
  }

  /// Reads a session with its user and the user's role.
  private static func renewed(_ row: Row, _ new: OpaqueKey) throws -> Renewal {
    var columns = row.columns
    let session = try SessionView(&columns)
    let (user, role) = (try columns.next(Identifier.self), try columns.next(String.self))
    return .renewed(user, Role(rawValue: role) ?? .user, session, new)
  }

  private static var badRefresh: Problem {
    Problem(.unauthorized, "The refresh token is not valid, or no longer. Sign in again.")
  }

  // MARK: Listing and ending

  private func list(_ call: Call) async throws -> Response {
    let user = try call.user
    let page = try call.identifierPage(try call.query(), list: "sessions:\(user.id)")
    let rows = try await context.database.query(Self.byUser, user.id, page.before, page.rowLimit)
    return call.list(try page.body(call, rows) { try SessionView($0, current: user.session) })
  }

  private func signOut(_ call: Call) async throws -> Response {
    guard let session = try call.user.session else { throw Problem(.forbidden, "A token has no session.") }
    var response = try await end(call, session)
    // Whose session a token names is no word on the browser's own.
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

  /// Throws 401 when a session is over, whatever a loop still remembers; to be asked by who has locked the user.
  static func requireAlive(_ session: Identifier, in transaction: Transaction) async throws {
    guard try await transaction.query(alive, session).isEmpty else { return }
    throw Problem(.unauthorized, "The session is over. Sign in again.")
  }

  /// Ends all sessions of a user but one, and gives their ids, to be announced after the COMMIT; at a moment of the
  /// database's time where there is no clock that replicas agree on.
  static func end(
    _ transaction: Transaction, user: Identifier, except kept: Identifier?, at now: Timestamp?
  ) async throws -> [Identifier] {
    try await transaction.query(Self.revokeOthers, user, kept, now).map { try $0.decode(Identifier.self, 0) }
  }

  // MARK: Tokens

  private func expiry(_ now: Timestamp) -> Timestamp {
    now.advanced(byDays: Int64(context.configuration.accounts.refreshTokenDays))
  }

  private func pair(
    _ user: Identifier, _ role: Role, _ session: SessionView, _ key: OpaqueKey, _ now: Timestamp
  ) -> [UInt8] {
    let token = context.tokens.issue(subject: user, session: session.id, role: role, at: now)
    var json = JSONWriter()
    json.object { json in
      json.member("accessToken", token.text)
      json.member("tokenType", "Bearer")
      json.member("expiresIn", token.claims.expiresAt - token.claims.issuedAt)
      json.member("refreshToken", key.text)
      json.key("session")
      json.object(session.write)
    }
    return json.take()
  }

  // MARK: SQL

  private static let columns = "id, user_agent, client_address, created_at, last_used_at, expires_at"

  private static let userByEmail = Statement(
    "users.byEmail", "SELECT id, role, password_hash, disabled FROM users WHERE email_key = $1")
  // Whoever changes a password, disables or erases locks the user before the sessions are ended: this waits for them
  // and sees what they did, or they wait for this and end it.
  private static let insertion = """
    INSERT INTO sessions (id, user_id, user_agent, client_address, created_at, last_used_at, expires_at)
    SELECT $1, id, $3, $4, $5, $5, $6 FROM users WHERE id = $2 AND password_hash = $8 AND NOT disabled FOR SHARE
    RETURNING *
    """
  private static let insertWithKey = Statement(
    "sessions.insertWithKey",
    """
    WITH session AS (
      \(insertion)
    ), key AS (
      INSERT INTO session_keys (hash, session_id) SELECT $7, id FROM session
    )
    SELECT \(columns) FROM session
    """)
  private static let insert = Statement(
    "sessions.insert",
    """
    WITH session AS (
      \(insertion)
    ), token AS (
      INSERT INTO refresh_tokens (hash, session_id, created_at) SELECT $7, id, $5 FROM session
    )
    SELECT \(columns) FROM session
    """)
  private static let useToken = Statement(
    "sessions.useToken",
    "UPDATE refresh_tokens SET used_at = $2, used_from = $3 WHERE hash = $1 AND used_at IS NULL RETURNING session_id")
  private static let revokeByToken = Statement(
    "sessions.revokeByToken",
    """
    UPDATE sessions SET revoked_at = coalesce(revoked_at, $2)
    WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = $1) RETURNING id
    """)
  private static let renewSession = Statement(
    "sessions.renew",
    """
    WITH session AS (
      UPDATE sessions SET last_used_at = $2, expires_at = $3 FROM users
      WHERE sessions.id = $1 AND users.id = sessions.user_id AND NOT users.disabled
        AND sessions.revoked_at IS NULL AND sessions.expires_at > $2
      RETURNING sessions.*, users.role
    ), token AS (
      INSERT INTO refresh_tokens (hash, session_id, created_at) SELECT $4, id, $2 FROM session
    )
    SELECT \(columns), user_id, role FROM session
    """)
  // Of the database's time alone: the moment may have been another replica's.
  private static let renewedSession = Statement(
    "sessions.renewed",
    """
    SELECT sessions.id, user_agent, client_address, sessions.created_at, last_used_at, expires_at, user_id, users.role
    FROM refresh_tokens AS old
      JOIN refresh_tokens AS new ON new.hash = $3 AND new.session_id = old.session_id
      JOIN sessions ON sessions.id = old.session_id
      JOIN users ON users.id = sessions.user_id
    WHERE old.hash = $1 AND old.used_from = $2 AND new.noted_at > now() - interval '10 seconds'
      AND NOT users.disabled AND sessions.revoked_at IS NULL AND sessions.expires_at > now()
    """)
  private static let byUser = Statement(
    "sessions.byUser",
    """
    SELECT \(columns) FROM sessions
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

  // MARK: Schemas

  private static let pair = Schema.named(
    "TokenPair",
    .object([
      .required("accessToken", .string()), .required("tokenType", .constant("Bearer")),
      .required("expiresIn", .integer(minimum: 1), "Seconds."), .required("refreshToken", .string()),
      .required("session", SessionView.schema),
    ]),
    example: #"""
      {"accessToken":"eyJhbGciOiJIUzI1NiJ9.…","tokenType":"Bearer","expiresIn":900,"refreshToken":"trt_…",\#
      "session":{"id":"019aa5c0-0000-7000-8000-000000000008","userAgent":"curl/8.5.0","clientAddress":"203.0.113.7",\#
      "createdAt":"2026-11-21T09:30:00.000Z","lastUsedAt":"2026-11-21T09:30:00.000Z",\#
      "expiresAt":"2026-12-21T09:30:00.000Z","current":true}}
      """#)
}
