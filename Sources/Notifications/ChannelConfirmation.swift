import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// Asks the reader of an address whether news may be sent there, by a mail with a code. Until the code has come back
/// the channel is switched off, which the previous release understands too.
struct ChannelConfirmation: EndpointGroup {
  let context: LoopContext
  let code: ConfirmationCode

  init(_ context: LoopContext) {
    self.context = context
    code = ConfirmationCode(keys: context.configuration.accounts.keys("channel confirmation 1"))
  }

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "confirmChannel", method: .post, template: "/api/channels/{id}/confirmation", access: .user,
        summary: "Confirm a channel's address",
        details: """
          Takes the code that was mailed to the address, and enables the channel. If the code did not arrive, delete \
          the channel and make it again.
          """,
        tag: "Channels", body: .json(GivenCode.self, example: #"{"code":"3f9a-02bc-77de"}"#),
        success: Endpoint.Success(200, Channel.schema, headers: ["ETag"]),
        scopes: [], handler: .async(confirm))
    ]
  }

  private func confirm(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user.id, try call.identifier("id"))
    let given = try call.form(GivenCode.self).code
    let channel = try await context.database.transaction { transaction in
      let channel = try Channels.channel(try await transaction.query(Channels.lockByID, id, user))
      if channel.isConfirmed { return channel }
      guard code.isRight(given, for: channel) else {
        throw ValidationError("/code", "is not the code that was mailed to this address")
      }
      return try Channel(try await transaction.query(Self.markConfirmed, channel.id, context.now)[0])
    }
    return call.ok(channel.body, revision: channel.updatedAt)
  }

  /// Asks the new address of an email channel, and returns the channel as it is then. The caller has locked the user.
  /// The account's own address is asked like any other, since nobody has verified it. Throws 429 after too many such
  /// mails.
  func settle(_ channel: Channel, of user: Identifier, in transaction: Transaction) async throws -> Channel {
    guard channel.kind == .email else { return channel }
    try await MessageAllowance.takeConfirmation(user, to: channel.target, in: transaction)
    try await transaction.execute(Courier.dropWaiting, channel.id)
    let rows = try await transaction.query(Self.markAsked, channel.id, "Its address is not confirmed yet.")
    let asked = try Channel(rows[0])
    try await Outbox(context).putConfirmation(into: asked, code: code.text(for: asked), in: transaction)
    return asked
  }

  // MARK: SQL

  private static let markConfirmed = Statement(
    "channels.markConfirmed",
    """
    UPDATE channels SET confirmed = true, disabled_at = NULL, disabled_because = NULL, next_attempt_at = now(),
      updated_at = greatest($2, updated_at + interval '1 ms')
    WHERE id = $1 RETURNING \(Channel.columns)
    """)
  private static let markAsked = Statement(
    "channels.markAsked",
    """
    UPDATE channels SET confirmed = false, disabled_at = coalesce(disabled_at, now()), disabled_because = $2
    WHERE id = $1 RETURNING \(Channel.columns)
    """)
}

/// The code that came by mail.
private struct GivenCode: JSONForm {
  let code: String

  init(_ fields: inout Fields) {
    code = fields.required("code", .string(1...40), "The code from the mail.")
  }
}
