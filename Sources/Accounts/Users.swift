import HTTP
import JSON
import Postgres
import Secrets
import Settings
import Values
import Web

/// Accounts: registration, one's own profile, and the end of an account.
struct Users: EndpointGroup {
  let context: LoopContext
  let throttle: LoginThrottle
  let passwords: MemberPasswords
  let erasure: Erasure

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "register", method: .post, template: "/api/users", access: .open, summary: "Register",
        details: "If registration is by invitation only, `invitation` must be the token of an invitation to a garden.",
        tag: "Accounts", parameters: [.idempotencyKey()],
        body: .json(
          Registration.self,
          example: #"{"email":"ada@example.org","password":"correct horse battery","displayName":"Ada"}"#),
        success: Endpoint.Success(201, Profile.schema, headers: ["Location", "ETag"]),
        refusals: [.emailTaken, .registrationClosed],
        handler: .async(register)),
      Endpoint(
        "getProfile", method: .get, template: "/api/users/me", access: .user, summary: "Your profile", tag: "Accounts",
        success: Endpoint.Success(200, Profile.schema, headers: ["ETag"]), handler: .row(show)),
      Endpoint(
        "updateProfile", method: .patch, template: "/api/users/me", access: .user,
        summary: "Change your profile or password",
        details: """
          A new password requires `currentPassword` and ends all your other sessions. Personal access tokens stay \
          valid: `DELETE /api/tokens/{id}` ends one.
          """,
        tag: "Accounts",
        body: .mergePatch(ProfileChange.self, example: #"{"displayName":"Ada L.","locale":"en-GB"}"#),
        success: Endpoint.Success(200, Profile.schema, headers: ["ETag"]),
        refusals: [.tooManyFailures], scopes: [], handler: .async(change)),
      Endpoint(
        "eraseAccount", method: .delete, template: "/api/users/me", access: .user,
        summary: "Erase your account and all you own",
        tag: "Accounts",
        body: .json(
          AccountErasure.self, example: #"{"password":"correct horse battery"}"#),
        success: Endpoint.Success(204), refusals: [.openOrders, .tooManyFailures],
        scopes: [], handler: .async(erase)),
    ]
  }

  // MARK: Handlers

  private func register(_ call: Call) async throws -> Response {
    let form = try call.form(Registration.self)
    let invitation: Invitation?
    do {
      invitation = try await self.invitation(form, at: call.now)
    } catch let fault as ValidationError {
      // A registration that is sent again has itself used up the invitation.
      if let made = try await registered(call, form.email) { return call.response(made) }
      throw fault
    }
    return try await admitNewcomer(from: call.clientAddress) { try await register(call, form, invitation) }
  }

  /// Returns the invitation that admits a newcomer; nil where none is needed. Throws before a hash is paid for when
  /// registration is closed, or the invitation is missing or not valid.
  private func invitation(_ form: Registration, at now: Timestamp) async throws -> Invitation? {
    let mode = context.configuration.accounts.registration
    if mode == .closed { throw Problem(.registrationClosed, "Only the operator creates accounts on this server.") }
    guard let text = form.invitation else {
      if mode == .invite { throw Problem(.registrationClosed, "Registration is by invitation only.") }
      return nil
    }
    guard let invitation = Invitation(text), try await invitation.isOpen(in: context.database, at: now) else {
      throw Self.badInvitation
    }
    return invitation
  }

  private static var badInvitation: ValidationError {
    ValidationError("/invitation", "is not valid or has expired")
  }

  private func register(_ call: Call, _ form: Registration, _ invitation: Invitation?) async throws -> Response {
    let hash = try await context.passwords.hash(form.password, of: .newcomer)
    let id = context.makeIdentifier()
    let key = try registrationKey(call, of: id)
    do {
      let made = try await context.database.transaction { transaction in
        let rows = try await transaction.query(
          Self.insert, id, form.email, form.email.asciiLowercased, form.displayName, hash, call.now)
        if let invitation, try await invitation.accept(by: id, in: transaction, at: call.now) == nil {
          throw Self.badInvitation
        }
        let made = Made(location: "/api/users/me", body: try Profile(rows[0]).body)
        try await key?.keep(made, in: transaction, at: call.now)
        return made
      }
      context.meters.usersRegistered.increment()
      context.meters.action(.register)
      return call.response(made)
    } catch let error as PostgresError where error.isUniqueViolation {
      if key != nil, let made = try await registered(call, form.email) { return call.response(made) }
      throw Problem(.emailTaken, "An account with this email address already exists.")
    }
  }

  /// The idempotency key of a registration, which belongs to the new account. The body holds a password, of which a
  /// plain digest would tell too much: this one can only be made with the server's secret, or with the one before it
  /// while that is being changed.
  private func registrationKey(_ call: Call, of account: Identifier) throws -> IdempotencyKey? {
    let contents = context.configuration.accounts.keys("registration 1").map {
      MessageAuthentication(key: $0).code(of: call.request.body)
    }
    return try IdempotencyKey(
      call.request, user: account, content: contents[0], alike: Array(contents.dropFirst()), seal: context.answerSeal)
  }

  /// What this request has registered before; nil when the account is someone else's.
  private func registered(_ call: Call, _ email: String) async throws -> Made? {
    guard let row = try await context.database.query(Self.byEmail, email.asciiLowercased).first else { return nil }
    let key = try registrationKey(call, of: try row.decode(Identifier.self, 0))
    do { return try await key?.made(in: context.database, at: call.now) } catch is Problem { return nil }
  }

  private func show(_ call: Call) throws -> RowAnswer {
    RowAnswer(context.database.prepared(Self.byID, try call.user.id)) { call, rows in
      guard let row = rows.first else { throw Self.gone }
      return call.ok(try Profile(row).body)
    }
  }

  private func change(_ call: Call) async throws -> Response {
    let user = try call.user
    let change = try call.form(ProfileChange.self)
    var (known, hash): (String?, String?)
    if let password = change.password {
      known = try await requirePassword(change.currentPassword ?? "", call, at: "currentPassword")
      hash = try await passwords.hash(password, from: call.clientAddress)
    }
    let (rows, ended) = try await context.database.transaction { transaction in
      guard let row = try await transaction.query(Self.lock, user.id).first else { throw Self.gone }
      var columns = row.columns
      let (before, current) = (try Profile(&columns), try columns.next(String.self))
      try call.requireMatch(before.body)
      // The password may have changed since it was checked.
      guard known == nil || known == current else {
        throw Self.wrong("currentPassword")
      }
      let rows = try await transaction.query(
        Self.update, user.id, change.displayName ?? before.displayName, change.locale.applied(to: before.locale), hash,
        call.now)
      guard hash != nil else { return (rows, [Identifier]()) }
      try await Recovery.endResets(of: user.id, in: transaction)
      return (rows, try await Sessions.end(transaction, user: user.id, except: user.session, at: call.now))
    }
    await context.sessions.ended(ended)
    if hash != nil { context.meters.action(.passwordChange) }
    return call.ok(try Profile(rows[0]).body)
  }

  private func erase(_ call: Call) async throws -> Response {
    let user = try call.user
    let form = try call.form(AccountErasure.self)
    let known = try await requirePassword(form.password, call, at: "password")
    try await context.erasures.turn(of: user.id) {
      try await erasure.erase(user.id) { profile, current in
        try call.requireMatch(profile.body)
        // The password may have changed since it was checked.
        guard known == current else { throw Self.wrong("password") }
      }
    }
    context.meters.action(.erase)
    return call.noContent()
  }

  // MARK: Steps

  /// Registrations have a limit of their own, since each costs a hash. One that failed and is to be sent again is not
  /// counted.
  private func admitNewcomer(from address: PeerAddress, _ body: () async throws -> Response) async throws -> Response {
    guard let limiter = context.rates.registration else { return try await body() }
    let client = RateClient.network(address.network)
    try await limiter.admit(client)
    do {
      return try await body()
    } catch {
      let problem = Problem(error)
      if [.unavailable, .overloaded].contains(problem.code) {
        await limiter.giveBack(client)
      }
      throw problem
    }
  }

  /// Checks the password of the signed-in user, and returns its hash. A wrong one counts as a failed sign-in: otherwise
  /// it could be guessed here with a stolen token. `member` is where the request has it.
  private func requirePassword(_ password: String, _ call: Call, at member: String) async throws -> String {
    guard let row = try await context.database.query(Self.hashByID, try call.user.id).first else { throw Self.gone }
    let (hash, account) = try row.decode((String.self, String.self))
    let known = try await throttle.attempt(account: account, from: call.clientAddress) {
      try await passwords.verify(password, against: hash, from: call.clientAddress) ? hash : nil
    }
    guard let known else {
      context.meters.action(.loginFailed)
      throw Self.wrong(member)
    }
    return known
  }

  private static func wrong(_ member: String) -> Problem {
    Problem(.forbidden, "\(member) is wrong.", faults: [JSON.Fault("/\(member)", "is wrong")])
  }
  private static var gone: Problem { Problem(.unauthorized, "The account no longer exists.") }

  // MARK: SQL

  private static let insert = Statement(
    "users.insert",
    """
    INSERT INTO users (id, email, email_key, display_name, password_hash, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING \(Profile.columns)
    """)
  private static let byEmail = Statement("users.idByEmail", "SELECT id FROM users WHERE email_key = $1")
  private static let byID = Statement("users.byID", "SELECT \(Profile.columns) FROM users WHERE id = $1")
  private static let lock = Statement(
    "users.lock", "SELECT \(Profile.columns), password_hash FROM users WHERE id = $1 FOR NO KEY UPDATE")
  private static let hashByID = Statement("users.hash", "SELECT password_hash, email_key FROM users WHERE id = $1")
  private static let update = Statement(
    "users.update",
    """
    UPDATE users SET display_name = $2, locale = $3, password_hash = coalesce($4, password_hash),
      updated_at = greatest($5, updated_at + interval '1 ms')
    WHERE id = $1 RETURNING \(Profile.columns)
    """)
}
