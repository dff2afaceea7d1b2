import HTTP
import Secrets
import Values

/// Finds out who makes a request, by its bearer token: a user's access token, a personal access token or a device's
/// key. A browser on the pages has a cookie instead.
struct Authentication {
  // Invariant 1: the loop's context outlives it.
  unowned(unsafe) let context: LoopContext
  private let rates: RateFilter

  init(_ context: LoopContext, _ rates: RateFilter) {
    self.context = context
    self.rates = rates
  }

  /// Whether anything of a call depends on who makes it.
  func concerns(_ call: Call) -> Bool {
    guard let access = call.endpoint?.endpoint.access, access != .open else { return false }
    return !access.isPublic || call.request.headerCount("Authorization") > 0 || SessionCookie.mayBeIn(call.request)
  }

  /// Sets the call's identity. Throws 401 for a bad token and 403 for the wrong kind of caller, either of which costs a
  /// rate token.
  func identify(_ call: Call) async throws {
    do {
      try await check(call)
    } catch let refusal as Problem where refusal.code == .unauthorized || refusal.code == .forbidden {
      if call.rate == nil { try await rates.admit(call) }
      throw refusal
    }
  }

  private func check(_ call: Call) async throws {
    guard let access = call.endpoint?.endpoint.access, access != .open else { return }
    if let token = try bearerToken(call.request) {
      if let key = OpaqueKey(token, .deviceKey) {
        call.identity = .device(try await device(key, call))
      } else if let key = OpaqueKey(token, .personalToken) {
        call.identity = .user(try await holder(of: key, call))
      } else {
        call.identity = try await identity(of: token, at: call.now)
      }
      call.request.share = .known
    } else if let key = SessionCookie.key(of: call.request), let user = try await sessionUser(of: key, call) {
      call.identity = .user(user)
      call.request.share = .known
    }
    if case .user(let user) = call.identity, let endpoint = call.endpoint?.endpoint, !user.has(oneOf: endpoint.scopes) {
      throw Self.beyondScope(endpoint)
    }
    switch access {
    case .open, .anyone: break
    case .user: _ = try call.user
    case .device: _ = try call.device
    case .userOrDevice: if case .anonymous = call.identity { _ = try call.user }
    case .administrator:
      guard try call.user.isAdministrator else { throw Problem(.forbidden, "Only administrators may do this.") }
    }
  }

  /// The credentials of the `Bearer` scheme (RFC 6750, section 2.1); the scheme's name is matched in any case.
  private func bearerToken(_ request: Request) throws -> String? {
    let count = request.headerCount("Authorization")
    if count == 0 { return nil }
    guard count == 1, let field = request.header("Authorization") else {
      throw Problem(.unauthorized, "Send one Authorization field: \"Bearer\", a space and the token.")
    }
    let parts = field.split(separator: " ", maxSplits: 1)
    guard parts.first?.lowercased() == "bearer" else {
      let fault =
        parts.count == 2 ? "The scheme of Authorization is not Bearer." : "Bearer is missing in Authorization."
      throw Problem(.unauthorized, "\(fault) Send \"Bearer\", a space and the token.")
    }
    guard parts.count == 2, case let token = parts[1].trimmingSpaces, !token.isEmpty else {
      throw Problem(.unauthorized, "There is no token after Bearer in Authorization.")
    }
    return token
  }

  private func identity(of token: String, at now: Timestamp) async throws -> Identity {
    let claims: TokenClaims
    do throws(TokenError) { claims = try context.tokens.verify(token, at: now) } catch { throw Self.refusal }
    guard let role = try await context.sessions.role(session: claims.session, user: claims.subject) else {
      throw Self.refusal
    }
    return .user(UserIdentity(id: claims.subject, session: claims.session, isAdministrator: role == .admin))
  }

  /// The user whose session a browser's key opens; nil when it is over, so that what is open to anyone goes on being
  /// served.
  ///
  /// A request that changes something has to come from our own pages. A key that this loop has not seen to be good
  /// takes a rate token before the database is asked, as a device's key does.
  private func sessionUser(of key: OpaqueKey, _ call: Call) async throws -> UserIdentity? {
    if call.request.method != .get, call.request.method != .head { try SessionCookie.requireOwnPage(call.request) }
    let keys = context.sessionKeys
    let user = try await look(
      for: { try await keys.holder(of: key, in: context.sessions) }, isKnown: keys.hasOpened(key), call)
    // `admit` takes a token of whoever the caller turns out to be: this one must not be paid as well.
    await rates.giveBack(call)
    return user
  }

  /// Returns the holder of a key; nil for a key that opens nothing. A key that this loop has not seen to be good takes
  /// a token of the client's network before the database is asked, since anyone can make keys up. The caller gives it
  /// back for a good key; for one that could not be looked up it is given back here.
  private func look<Holder>(
    for holder: () async throws -> Holder?, isKnown: Bool, _ call: Call
  ) async throws -> Holder? {
    if !isKnown { try await rates.admit(call) }
    do {
      return try await holder()
    } catch {
      await rates.giveBack(call)
      throw error
    }
  }

  /// Returns the holder of a token or a device's key; throws 401 for one that opens nothing.
  private func require<Holder>(
    _ holder: () async throws -> Holder?, isKnown: Bool, _ call: Call
  ) async throws -> Holder {
    guard let found = try await look(for: holder, isKnown: isKnown, call) else { throw Self.refusal }
    await rates.giveBack(call)
    return found
  }

  private func holder(of key: OpaqueKey, _ call: Call) async throws -> UserIdentity {
    let tokens = context.personalTokens
    let holder = try await require(
      { try await tokens.holder(of: key.digest, at: call.now) }, isKnown: tokens.hasOpened(key), call)
    return UserIdentity(id: holder.user, credential: .token(holder.token, digest: key.digest, holder.scopes))
  }

  private func device(_ key: OpaqueKey, _ call: Call) async throws -> DeviceIdentity {
    let keys = context.deviceKeys
    let holder = try await require({ try await keys.holder(of: key) }, isKnown: keys.hasOpened(key), call)
    guard !holder.isDisabled else {
      call.identity = .device(holder.device)
      throw Problem(.forbidden, "The account that this device belongs to is disabled.")
    }
    return holder.device
  }

  private static func beyondScope(_ endpoint: Endpoint) -> Problem {
    let scopes = endpoint.scopes.map(\.rawValue)
    if scopes.isEmpty { return Problem(.forbidden, "A personal access token gives no access to this; sign in.") }
    return Problem(.forbidden, "The token needs the scope \(scopes.joined(separator: " or ")).")
  }

  /// 401 with `invalid_token` (RFC 6750, section 3.1). A client is not told why its token is bad.
  private static var refusal: Problem {
    var problem = Problem(.unauthorized, "The token is not valid or has expired.")
    problem.headers = [("WWW-Authenticate", "Bearer realm=\"terroir\", error=\"invalid_token\"")]
    return problem
  }
}
