import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// Signing in by an email address and a password: with tokens, or by the cookie of this server's pages.
struct SigningIn: EndpointGroup {
  let context: LoopContext
  let throttle: LoginThrottle
  let passwords: MemberPasswords

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "signIn", method: .post, template: "/api/sessions", access: .open, summary: "Sign in", tag: "Sessions",
        body: .json(
          SignIn.self, example: #"{"email":"ada@example.org","password":"correct horse battery"}"#),
        success: Endpoint.Success(201, TokenPair.schema, headers: ["Location"]),
        refusals: [.unauthorized, .tooManyFailures], handler: .async(signIn)),
      Endpoint(
        "signInByCookie", method: .post, template: "/api/sessions/cookie", access: .open,
        summary: "Sign in on this server's pages",
        details: """
          For a browser on a page of this server: the session's key is the cookie `__Host-terroir`, which scripts \
          cannot read. It grants what an access token grants, for as long as the session is used. A request that \
          changes something must carry the `Sec-Fetch-Site` or `Origin` of this server's own pages.
          """,
        tag: "Sessions",
        body: .json(
          SignIn.self, example: #"{"email":"ada@example.org","password":"correct horse battery"}"#),
        success: Endpoint.Success(201, Session.schema, headers: ["Location", "Set-Cookie"]),
        refusals: [.unauthorized, .forbidden, .tooManyFailures], handler: .async(signInByCookie)),
    ]
  }

  private func signIn(_ call: Call) async throws -> Response {
    let account = try await credentials(call)
    let key = OpaqueKey.make(.refreshToken)
    let session = try await begin(call, account, by: Self.insert, key)
    let pair = TokenPair(session, of: account.id, account.role, key, context, at: call.now)
    return call.secret(.created, location: "/api/sessions/\(session.id)", pair.body)
  }

  /// Only this server's own pages may do it: a page of another site could sign a visitor in as somebody else.
  private func signInByCookie(_ call: Call) async throws -> Response {
    try SessionCookie.requireOwnPage(call.request)
    let key = OpaqueKey.make(.sessionKey)
    let session = try await begin(call, try await credentials(call), by: Self.insertWithKey, key)
    var response = call.secret(.created, location: "/api/sessions/\(session.id)", session.body)
    response.headers.append("Set-Cookie", SessionCookie.setting(key))
    return response
  }

  /// An account, and its password's hash, against which the sent password was checked.
  private typealias Credentials = (id: Identifier, role: Role, hash: String)

  /// Returns the account of the sent email address and password; throws 401 when they are wrong or it is disabled.
  private func credentials(_ call: Call) async throws -> Credentials {
    let form = try call.form(SignIn.self)
    let (email, password) = (form.email.asciiLowercased, form.password)
    let known = try await throttle.attempt(account: email, from: call.clientAddress) {
      let row = try await context.database.query(Self.userByEmail, email).first
      let hash = try row.map { try $0.decode(String.self, 2) }
      // Takes as long for an unknown account as for a known one.
      let isRight = try await passwords.verify(password, against: hash, from: call.clientAddress)
      if !isRight { context.meters.action(.loginFailed, hasUser: row != nil) }
      return isRight ? row : nil
    }
    guard let row = known, !(try row.decode(Bool.self, 3)) else {
      if known != nil { context.meters.action(.loginFailed) }
      throw Self.badCredentials
    }
    let (id, role, hash, _) = try row.decode((Identifier.self, Role.self, String.self, Bool.self))
    return (id, role, hash)
  }

  /// Begins a session, which its holder continues by `key`. Throws 401 when the account's password has changed since it
  /// was checked, or the account is disabled or gone.
  private func begin(
    _ call: Call, _ account: Credentials, by statement: Statement, _ key: OpaqueKey
  ) async throws -> Session {
    let agent = call.request.header("User-Agent").map { String($0.prefix(256)) }
    let rows = try await context.database.write(
      statement, context.makeIdentifier(), account.id, agent, call.clientAddress.text, call.now,
      Session.expiry(from: call.now, context), key.digest, account.hash)
    guard let row = rows.first else {
      context.meters.action(.loginFailed)
      throw Self.badCredentials
    }
    context.meters.action(.login)
    return try Session(row)
  }

  private static var badCredentials: Problem {
    Problem(.unauthorized, "The email address or the password is wrong.")
  }

  // MARK: SQL

  private static let userByEmail = Statement(
    "users.byEmail", "SELECT id, role, password_hash, disabled FROM users WHERE email_key = $1")
  // Whatever changes a password, disables or erases locks the user before it ends the sessions: this waits for it and
  // sees what it did, or it waits for this and ends the new session.
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
    SELECT \(Session.columns) FROM session
    """)
  private static let insert = Statement(
    "sessions.insert",
    """
    WITH session AS (
      \(insertion)
    ), token AS (
      INSERT INTO refresh_tokens (hash, session_id, created_at) SELECT $7, id, $5 FROM session
    )
    SELECT \(Session.columns) FROM session
    """)
}

/// An email address and a password to sign in with.
struct SignIn: JSONForm {
  let email: String
  let password: String

  init(_ fields: inout Fields) {
    email = fields.required("email", .string(1...254))
    password = fields.required("password", .password)
  }
}
