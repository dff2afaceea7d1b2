import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// The renewal of a session's tokens, by a refresh token that is good for one use.
struct SessionRenewal: EndpointGroup {
  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "refreshTokens", method: .post, template: "/api/sessions/refresh", access: .open, summary: "Renew your tokens",
        details: """
          A refresh token is valid for one use. If its answer is lost, repeat the request: for 10 seconds, the same \
          address gets the same new token. A token that is used again later, or from another address, ends its \
          session.
          """,
        tag: "Sessions",
        body: .json(TokenRefresh.self, example: #"{"refreshToken":"trt_…"}"#),
        success: Endpoint.Success(200, TokenPair.schema), refusals: [.unauthorized], handler: .async(refresh))
    ]
  }

  private enum Renewal {
    case renewed(Identifier, Role, Session, OpaqueKey)
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
      return call.secret(.ok, TokenPair(session, of: user, role, new, context, at: call.now).body)
    case .reused(let session):
      context.logger.log(.warning, "A refresh token was used twice; its session was ended") {
        $0.field("session", session)
      }
      await context.sessions.ended([session])
      throw Self.badRefresh
    case .refused: throw Self.badRefresh
    }
  }

  /// Uses up the old token and stores the new one, in one transaction. The reuse of a token is a result, not an error,
  /// so that it is committed as well: the session ends, unless its holder may have missed the answer with the new
  /// token.
  private func renew(_ old: OpaqueKey, from network: String, _ now: Timestamp) async throws -> Renewal {
    try await context.database.transaction { transaction in
      guard let used = try await transaction.query(Self.useToken, old.digest, now, network).first else {
        for new in context.refreshTokens.candidates(for: old) {
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
      let new = context.refreshTokens.successor(of: old)
      let renewed = try await transaction.query(
        Self.renewSession, id, now, Session.expiry(from: now, context), new.digest)
      guard let row = renewed.first else { return .refused }
      return try Self.renewed(row, new)
    }
  }

  /// Reads a session, then its user and the user's role.
  private static func renewed(_ row: Row, _ new: OpaqueKey) throws -> Renewal {
    var columns = row.columns
    let session = try Session(&columns)
    return .renewed(try columns.next(), try columns.next(), session, new)
  }

  private static var badRefresh: Problem {
    Problem(.unauthorized, "The refresh token is not valid or has expired. Sign in again.")
  }

  // MARK: SQL

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
    SELECT \(Session.columns), user_id, role FROM session
    """)
  // By the database's clock alone: the first request may have gone to another replica, whose clock differs.
  private static let renewedSession = Statement(
    "sessions.renewed",
    """
    SELECT \(Session.columns), user_id, role FROM (
      SELECT sessions.*, users.role FROM refresh_tokens AS old
        JOIN refresh_tokens AS new ON new.hash = $3 AND new.session_id = old.session_id
        JOIN sessions ON sessions.id = old.session_id
        JOIN users ON users.id = sessions.user_id
      WHERE old.hash = $1 AND old.used_from = $2 AND new.noted_at > now() - interval '10 seconds'
        AND NOT users.disabled AND sessions.revoked_at IS NULL AND sessions.expires_at > now()
    ) session
    """)
}

/// The refresh token that is to be exchanged.
struct TokenRefresh: JSONForm {
  let refreshToken: String

  init(_ fields: inout Fields) { refreshToken = fields.required("refreshToken", .string(1...256)) }
}
