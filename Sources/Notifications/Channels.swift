import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// Channels: where a user is told what happens, and what became of it.
struct Channels: EndpointGroup {
  let context: LoopContext
  let networks: AdmittedNetworks
  let lookups: TargetLookups
  let seal: Seal
  let confirmation: ChannelConfirmation

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listChannels", method: .get, template: "/api/channels", access: .user, summary: "Your channels",
        details: "Newest first.", tag: "Channels", parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "ChannelPage", Channel.schema), headers: ["ETag", "Link"]),
        handler: .async(list)),
      Endpoint(
        "createChannel", method: .post, template: "/api/channels", access: .user,
        summary: "Add a channel that sends you news",
        details: """
          A `webhook` gets JSON signed by the Standard Webhooks specification, an `ntfy` topic a short text, an \
          `email` address a mail if the operator has set up a mail server. A failed delivery is retried for 24 hours, \
          in order; a channel that fails for three days is disabled. Addresses of private networks are refused. Every \
          email address, also your account's, is mailed a code; its channel is disabled until \
          `POST /api/channels/{id}/confirmation` gets the code.
          """,
        tag: "Channels", parameters: [.idempotencyKey()],
        body: .json(
          ChannelInput.self,
          example: #"{"kind":"webhook","target":"https://hooks.example.org/terroir","events":["insight","device"]}"#),
        success: Endpoint.Success(201, Channel.schemaWithSecret, headers: ["Location"]), refusals: [.conflict],
        scopes: [], handler: .async(create)),
      Endpoint(
        "getChannel", method: .get, template: "/api/channels/{id}", access: .user, summary: "A channel of yours",
        details: Self.revisions, tag: "Channels", success: Endpoint.Success(200, Channel.schema, headers: ["ETag"]),
        handler: .async(show)),
      Endpoint(
        "updateChannel", method: .patch, template: "/api/channels/{id}", access: .user,
        summary: "Change a channel of yours",
        details: "A new email address must be confirmed. \(Self.revisions)",
        tag: "Channels",
        body: .mergePatch(
          ChannelChange.self, example: #"{"quietHours":{"from":"22:00","to":"06:30","timeZone":"Europe/Paris"}}"#),
        success: Endpoint.Success(200, Channel.schema, headers: ["ETag"]),
        refusals: [.conflict], scopes: [], handler: .async(change)),
      Endpoint(
        "deleteChannel", method: .delete, template: "/api/channels/{id}", access: .user,
        summary: "Delete a channel of yours with its waiting news", tag: "Channels", success: Endpoint.Success(204),
        scopes: [], handler: .async(delete)),
      Endpoint(
        "testChannel", method: .post, template: "/api/channels/{id}/test", access: .user,
        summary: "Send a test message",
        details: """
          It is sent immediately, also in quiet hours; the deliveries show its outcome. All your channels together may \
          get \(MessageAllowance.testsPerHour) an hour.
          """,
        tag: "Channels", parameters: [.idempotencyKey()],
        success: Endpoint.Success(202, Delivery.schema, headers: ["Location", "ETag"]), refusals: [.conflict],
        scopes: [], handler: .async(test)),
      Endpoint(
        "listDeliveries", method: .get, template: "/api/channels/{id}/deliveries", access: .user,
        summary: "The deliveries of a channel", details: "Newest first, of the last 30 days.", tag: "Channels",
        parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "DeliveryPage", Delivery.schema), headers: ["ETag", "Link"]),
        handler: .async(deliveries)),
    ]
  }

  // MARK: Reading

  private func list(_ call: Call) async throws -> Response {
    let user = try call.user.id
    let page = try call.identifierPage(try call.query(), list: "channels:\(user)")
    let rows = try await context.database.query(Self.byUser, user, page.before, page.rowLimit)
    return call.list(try page.body(call, rows, Channel.init))
  }

  private func show(_ call: Call) async throws -> Response {
    let rows = try await context.database.query(Self.byID, try call.identifier("id"), try call.user.id)
    let channel = try Self.channel(rows)
    return call.ok(channel.body, revision: channel.updatedAt)
  }

  private func deliveries(_ call: Call) async throws -> Response {
    let id = try call.identifier("id")
    let page = try call.identifierPage(try call.query(), list: "deliveries:\(id)")
    _ = try Self.channel(try await context.database.query(Self.byID, id, try call.user.id))
    let rows = try await context.database.query(Self.deliveriesOf, id, page.before, page.rowLimit)
    return call.list(try page.body(call, rows, Delivery.init))
  }

  static func channel(_ rows: Rows) throws -> Channel {
    guard let row = rows.first else { throw Problem(.notFound, "There is no channel with this id.") }
    return try Channel(row)
  }

  // MARK: Changing

  private func create(_ call: Call) async throws -> Response {
    let (user, now) = (try call.user.id, call.now)
    let new = try call.form(ChannelInput.self)
    try await require(new.kind, new.target, of: user)
    let secret = new.kind == .webhook ? WebhookSecret.make() : nil
    return try await call.makeOnce { transaction, _ in
      // Locked, so that two requests at once cannot both make the last channel.
      try await UserLock.take(user, in: transaction)
      let quiet = try await new.quietHours?.settled(in: transaction)
      let rows = try await transaction.query(
        Self.insert, context.makeIdentifier(), user, new.kind.rawValue, new.target, secret.map { seal.seal($0.key) },
        new.events.map(\.rawValue), new.minimumSeverity.rawValue, quiet?.from.number,
        quiet?.to.number, quiet?.timeZone, new.digest?.rawValue, now)
      try await Self.bound.check(of: user, in: transaction)
      let channel = try await confirmation.settle(try Channel(rows[0]), of: user, in: transaction)
      let body = channel.body { $0.member("secret", ifPresent: secret?.text) }
      // Secret for every kind: otherwise the answer would carry an `ETag` of its bytes, with which no change could be
      // made.
      return Made(location: "/api/channels/\(channel.id)", body: body, isSecret: true)
    }.response
  }

  private func change(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user.id, try call.identifier("id"))
    let change = try call.form(ChannelChange.self)
    let known = try Self.channel(try await context.database.query(Self.byID, id, user))
    try await require(known.kind, change.target, of: user)
    let channel = try await context.database.transaction { transaction in
      if change.target != nil { try await UserLock.take(user, in: transaction) }
      let before = try Self.channel(try await transaction.query(Self.lockByID, id, user))
      try call.requireMatch(before.body, revision: before.updatedAt)
      let quiet = try await change.quietHours.applied(to: before.quietHours, in: transaction)
      let rows = try await transaction.query(
        Self.update, id, change.target ?? before.target, (change.events ?? before.events).map(\.rawValue),
        (change.minimumSeverity ?? before.minimumSeverity).rawValue, quiet?.from.number, quiet?.to.number,
        quiet?.timeZone, change.digest.applied(to: before.digest)?.rawValue, call.now)
      var channel = try Channel(rows[0])
      if channel.target != before.target {
        channel = try await confirmation.settle(channel, of: user, in: transaction)
      }
      guard let isEnabled = change.isEnabled, channel.isConfirmed || isEnabled else { return channel }
      guard channel.isConfirmed else {
        throw Problem(.conflict, "Confirm this address first, with the code that was mailed to it.")
      }
      if !isEnabled { try await transaction.execute(Courier.dropWaiting, id) }
      return try Self.channel(try await transaction.query(isEnabled ? Self.enable : Self.disable, id))
    }
    return call.ok(channel.body, revision: channel.updatedAt)
  }

  /// Throws 422 for what the form cannot check: whether this server sends mail, and where a host is.
  private func require(_ kind: ChannelKind, _ target: String?, of user: Identifier) async throws {
    guard let target else { return }
    if let fault = ChannelTarget.fault(target, kind) { throw ValidationError("/target", fault) }
    if kind != .email {
      try await ChannelTarget.requireAdmitted(target, by: networks, for: user, lookups, on: context.loop)
    } else if context.configuration.notifications.mailServer == nil {
      throw ValidationError("/kind", "this server sends no mail")
    }
  }

  private func delete(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user.id, try call.identifier("id"))
    try await context.database.transaction { transaction in
      let channel = try Self.channel(try await transaction.query(Self.lockForDeletion, id, user))
      try call.requireMatch(channel.body, revision: channel.updatedAt)
      try await transaction.execute(Self.deleteByID, id)
    }
    return call.noContent()
  }

  private func test(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user.id, try call.identifier("id"))
    return try await call.makeOnce { transaction, _ in
      try await UserLock.take(user, in: transaction)
      let channel = try Self.channel(try await transaction.query(Self.lockByID, id, user))
      guard channel.disabledAt == nil else {
        throw Problem(.conflict, "This channel is switched off. Switch it on first.")
      }
      try await MessageAllowance.takeTest(user, in: transaction)
      let delivery = try await Outbox(context).putTest(into: channel, in: transaction)
      // Its owner may just have repaired what made it fail: the test shows it, and what waits follows.
      try await transaction.execute(Self.endPause, id)
      return Made(status: .accepted, location: "/api/channels/\(id)/deliveries", body: delivery.body)
    }.response
  }

  private static let revisions = """
    The `ETag` also changes when deliveries fail or succeed again; as `If-Match` it stays valid until someone changes \
    the channel.
    """

  // MARK: SQL

  private static let byUser = Statement(
    "channels.byUser",
    "SELECT \(Channel.columns) FROM channels WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
  private static let own = "SELECT \(Channel.columns) FROM channels WHERE id = $1 AND user_id = $2"
  private static let byID = Statement("channels.byID", own)
  /// Locks a channel, but lets transactions pass that put news into it.
  static let lockByID = Statement("channels.lock", "\(own) FOR NO KEY UPDATE")
  private static let lockForDeletion = Statement("channels.lockForDeletion", "\(own) FOR UPDATE")
  private static let bound = ListBound(
    "channels.excess", of: "channels WHERE user_id = $1 ORDER BY id DESC", atMost: Channel.maximumOfUser,
    "You have \(Channel.maximumOfUser) channels already. Delete one first.")
  private static let insert = Statement(
    "channels.insert",
    """
    INSERT INTO channels (id, user_id, kind, target, secret, events, minimum_severity, quiet_from, quiet_to,
      quiet_zone, digest, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING \(Channel.columns)
    """)
  // Failures at one target say nothing of another. A delivery in flight to the old one loses its lease.
  private static let update = Statement(
    "channels.update",
    """
    UPDATE channels SET target = $2, events = $3, minimum_severity = $4, quiet_from = $5, quiet_to = $6,
      quiet_zone = $7, digest = $8, updated_at = greatest($9, updated_at + interval '1 ms'),
      failing_since = CASE WHEN target = $2 THEN failing_since END,
      failures = CASE WHEN target = $2 THEN failures ELSE 0 END,
      next_attempt_at = CASE WHEN target = $2 THEN next_attempt_at ELSE now() END,
      lease = CASE WHEN target = $2 THEN lease END
    WHERE id = $1 RETURNING \(Channel.columns)
    """)
  private static let enable = Statement(
    "channels.enable",
    """
    UPDATE channels SET disabled_at = NULL, disabled_because = NULL, failing_since = NULL, failures = 0,
      next_attempt_at = now()
    WHERE id = $1 RETURNING \(Channel.columns)
    """)
  private static let disable = Statement(
    "channels.disable",
    "UPDATE channels SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1 RETURNING \(Channel.columns)")
  /// Ends the pause after a failed attempt.
  private static let endPause = Statement(
    "channels.endPause", "UPDATE channels SET next_attempt_at = now() WHERE id = $1 AND next_attempt_at > now()")
  private static let deleteByID = Statement("channels.delete", "DELETE FROM channels WHERE id = $1")
  private static let deliveriesOf = Statement(
    "deliveries.byChannel",
    """
    SELECT \(Delivery.columns) FROM deliveries WHERE channel_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
    """)
}
