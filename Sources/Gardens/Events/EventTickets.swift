import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// Tickets for event streams: a browser's `EventSource` can send no `Authorization`, and a token in an address would
/// stand in logs and histories for as long as it is good.
struct EventTickets: EndpointGroup {
  /// How long a ticket may be used, in seconds.
  static let lifetimeSeconds: Int64 = 30

  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "createEventTicket", method: .post, template: "/api/gardens/{id}/events/tickets", access: .user,
        summary: "Get a ticket for a garden's events",
        details: """
          For `EventSource`, which cannot send a token. Sent as `?ticket=`, the ticket is valid for one stream of this \
          garden, for 30 seconds. The stream ends with the session or token that requested the ticket.
          """,
        tag: "Gardens",
        success: Endpoint.Success(201, Self.schema), scopes: [.read], handler: .async(create))
    ]
  }

  private func create(_ call: Call) async throws -> Response {
    let (user, garden) = (try call.user, try call.identifier("id"))
    try await GardenAccess(context: context).requireReader(call.identity, of: garden)
    let key = OpaqueKey.make(.ticket)
    let (session, token): (Identifier?, [UInt8]?) =
      switch user.credential {
      case .session(let session): (session, nil)
      case .token(_, let digest, _): (nil, digest)
      }
    let made = try await context.database.execute(
      Self.insert, key.digest, garden, user.id, session, token,
      call.now.advanced(byMilliseconds: Self.lifetimeSeconds * 1_000))
    guard made == 1 else { throw Problem(.unavailable, "Another request is erasing this account.") }
    var json = JSONWriter()
    json.object { json in
      json.member("ticket", key.text)
      json.member("expiresIn", Self.lifetimeSeconds)
    }
    return call.secret(.created, location: "/api/gardens/\(garden)/events?ticket=\(key.text)", json.take())
  }

  /// Returns the holder of a ticket, and uses it up if `isUsed`. Throws 401 for one that is not valid.
  func holder(
    of text: String, for garden: Identifier, at now: Timestamp, isUsed: Bool
  ) async throws -> Identity {
    let refusal = Problem(.unauthorized, "The ticket is not valid or has expired. Get another one.")
    guard let key = OpaqueKey(text, .ticket) else { throw refusal }
    let database = context.database
    let rows =
      isUsed
      ? try await database.write(Self.use, key.digest, garden, now)
      : try await database.query(Self.look, key.digest, garden, now)
    guard let row = rows.first else { throw refusal }
    let (id, session, digest, token) = try row.decode(
      (Identifier.self, Identifier?.self, [UInt8]?.self, Identifier?.self))
    let credential: UserIdentity.Credential
    if let digest, let token {
      credential = .token(token, digest: digest, [.read])
    } else if let session {
      credential = .session(session)
    } else {
      throw refusal
    }
    let user = UserIdentity(id: id, credential: credential)
    guard try await context.credentials.areGood(of: user, at: now) else { throw refusal }
    return .user(user)
  }

  static let expiry = Expiry("expiry.eventTickets", from: "event_tickets", where: "expires_at < now()")

  /// Makes nothing while the user is being erased: others' statements would wait with this one on its connection.
  private static let insert = Statement(
    "eventTickets.insert",
    """
    INSERT INTO event_tickets (hash, garden_id, user_id, session_id, token_hash, expires_at)
    SELECT $1, $2, id, $4, $5, $6 FROM users WHERE id = $3 FOR KEY SHARE SKIP LOCKED
    """)
  private static let isGood = "hash = $1 AND garden_id = $2 AND expires_at > $3"
  /// The columns that `holder` reads.
  private static let columns = """
    user_id, session_id, token_hash, (SELECT id FROM personal_tokens WHERE hash = token_hash)
    """
  private static let look = Statement(
    "eventTickets.look", "SELECT \(columns) FROM event_tickets WHERE \(isGood)")
  private static let use = Statement(
    "eventTickets.use", "DELETE FROM event_tickets WHERE \(isGood) RETURNING \(columns)")

  private static let schema = Schema.named(
    "EventTicket",
    .object([
      .required("ticket", .string()), .required("expiresIn", .integer(minimum: 1), "Seconds."),
    ]), example: #"{"ticket":"ttk_…","expiresIn":30}"#)
}
