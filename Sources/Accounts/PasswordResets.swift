import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// Sets a new password for a user who has forgotten the old one, by a mail to the account's address.
///
/// A request is recorded by one statement that is the same for every address, and looked at after it was answered
/// (`ResetMail`): neither the answer nor its time tells whether there is an account.
struct PasswordResets: EndpointGroup {
  /// The most mails to an address in an hour, and so the most tokens of an account.
  static let mailsPerHour = 3

  let context: LoopContext
  let throttle: LoginThrottle
  let passwords: MemberPasswords
  /// Whether this server sends mail.
  let sendsMail: Bool

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "requestPasswordReset", method: .post, template: "/api/password-resets", access: .open,
        summary: "Ask for a new password",
        details: """
          The answer is the same for every address. If an account has the address, the server mails it a token that is \
          valid once, for an hour. An address gets at most \(Self.mailsPerHour) such mails an hour.
          """,
        tag: "Accounts", body: .json(PasswordResetRequest.self, example: #"{"email":"ada@example.org"}"#),
        success: Endpoint.Success(202, mediaTypes: []), refusals: [.notImplemented], handler: .async(request)),
      Endpoint(
        "resetPassword", method: .post, template: "/api/password-resets/{token}", access: .open,
        summary: "Choose a new password",
        details: "Takes the token from the mail. All sessions and tokens of the account end.", tag: "Accounts",
        body: .json(PasswordReset.self, example: #"{"password":"correct horse battery"}"#),
        success: Endpoint.Success(204), refusals: [.notImplemented], handler: .async(reset)),
    ]
  }

  // MARK: Handlers

  private func request(_ call: Call) async throws -> Response {
    try requireMail()
    let email = try call.form(PasswordResetRequest.self).email.asciiLowercased
    try await take(.network(call.clientAddress.network))
    try await context.database.execute(Self.note, context.makeIdentifier(), email, Self.mailsPerHour)
    return Response(.accepted, headers: ["Cache-Control": "no-store"])
  }

  private func reset(_ call: Call) async throws -> Response {
    try requireMail()
    let password = try call.form(PasswordReset.self).password
    let token = call.request.withParameter("token") { OpaqueKey(String(decoding: $0, as: UTF8.self), .passwordReset) }
    // Looked up before a hash is paid for.
    guard let token, let user = try await Recovery.user(by: token, in: context.database) else { throw Self.badToken }
    try await take(.user(user))
    let hash = try await passwords.hash(password, from: call.clientAddress)
    let recovered = try await context.database.transaction { transaction in
      try await Recovery.redeem(token, for: hash, in: transaction)
    }
    guard let recovered else { throw Self.badToken }
    await context.sessions.ended(recovered.ended.sessions)
    await context.personalTokens.ended(recovered.ended.tokens)
    await throttle.forgive(account: recovered.account, from: call.clientAddress)
    context.meters.action(.passwordChange)
    return call.noContent()
  }

  // MARK: Steps

  private func requireMail() throws {
    if sendsMail { return }
    throw Problem(.notImplemented, "This server sends no mail. Its operator can give you a new password.")
  }

  /// Requests are limited for each network, since each may send a mail, and new passwords for each account, since each
  /// costs a hash.
  private func take(_ client: RateClient) async throws {
    try await context.rates.passwordReset?.admit(client)
  }

  private static var badToken: Problem {
    Problem(.notFound, "This code for a new password is wrong or has expired. Ask for another mail.")
  }

  // MARK: SQL

  // Of two requests at once one finds its place taken and records nothing: the mail goes out all the same.
  private static let note = Statement(
    "passwordResets.note",
    """
    INSERT INTO password_resets (id, email_key, place, requested_at)
    SELECT $1, $2, free.place, now() FROM generate_series(1, $3::integer) AS free (place)
    WHERE NOT EXISTS (
      SELECT 1 FROM password_resets AS taken
      WHERE taken.email_key = $2 AND taken.place = free.place AND taken.requested_at > now() - interval '1 hour')
    ORDER BY free.place LIMIT 1
    ON CONFLICT (email_key, place) DO UPDATE SET id = excluded.id, requested_at = now(), next_attempt_at = now(),
      attempts = 0, user_id = NULL, hash = NULL, expires_at = NULL
    WHERE password_resets.requested_at <= now() - interval '1 hour'
    """)
  /// Requests are kept until the tokens of the last mails have expired.
  static let expiry = Expiry(
    "expiry.passwordResets", from: "password_resets", where: "requested_at < now() - interval '3 hours'")
}

/// A request for a new password.
struct PasswordResetRequest: JSONForm {
  let email: String

  init(_ fields: inout Fields) { email = fields.required("email", .email) }
}

/// The new password.
struct PasswordReset: JSONForm {
  let password: String

  init(_ fields: inout Fields) { password = fields.required("password", .newPassword) }
}
