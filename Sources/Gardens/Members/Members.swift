import HTTP
import JSON
import Postgres
import Secrets
import Values
import Web

/// The members of a garden, and the invitations to it.
struct Members: EndpointGroup {
  /// The most members and invitations of a garden.
  static let maximumOfGarden = 200

  let context: LoopContext
  let changes: GardenChanges
  private var access: GardenAccess { GardenAccess(context: context) }

  private static let template = "/api/gardens/{id}/members"

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "inviteMember", method: .post, template: Self.template, access: .user, summary: "Invite somebody to a garden",
        details: """
          For managers. Give the token to the person whom you invite, who accepts with `POST /api/invitations/{token}` \
          within 14 days. Inviting an address again voids its previous invitation. Your open invitations end when you \
          are no longer a manager.
          """,
        tag: "Members", parameters: [.idempotencyKey()],
        body: .json(MemberInput.self, example: #"{"email":"grace@example.org","role":"editor"}"#),
        success: Endpoint.Success(201, Member.schemaWithToken, headers: ["Location"]),
        refusals: [.conflict], scopes: [], handler: .async(invite)),
      Endpoint(
        "listMembers", method: .get, template: Self.template, access: .user, summary: "The members of a garden",
        details: "Newest first. Only managers see invitations and addresses.", tag: "Members",
        parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "MemberPage", Member.schema), headers: ["ETag", "Link"]),
        handler: .async(list)),
      Endpoint(
        "updateMember", method: .patch, template: "\(Self.template)/{memberId}", access: .user,
        summary: "Give a member another role, or the garden",
        details: "For managers. The role `owner`, which only the owner can give, makes the garden the member's.",
        tag: "Members", body: .mergePatch(MemberChange.self, example: #"{"role":"viewer"}"#),
        success: Endpoint.Success(200, Member.schema, headers: ["ETag"]),
        refusals: [.conflict], scopes: [], handler: .async(change)),
      Endpoint(
        "removeMember", method: .delete, template: "\(Self.template)/{memberId}", access: .user,
        summary: "End a membership or an invitation",
        details: """
          For managers, and for members who leave. Device keys that the member knows stay valid: to end them, make new \
          ones with `POST /api/devices/{id}/key?revoke=true`.
          """,
        tag: "Members", success: Endpoint.Success(204), scopes: [],
        handler: .async(remove)),
      Endpoint(
        "acceptInvitation", method: .post, template: "/api/invitations/{token}", access: .user,
        summary: "Accept an invitation to a garden", tag: "Members", parameters: [.idempotencyKey()],
        success: Endpoint.Success(200, Self.membership, headers: ["ETag"]), refusals: [.conflict], scopes: [],
        handler: .async(accept)),
    ]
  }

  private func invite(_ call: Call) async throws -> Response {
    let (user, garden) = (try call.user, try call.identifier("id"))
    let new = try call.form(MemberInput.self)
    try await access.require(.manager, user, of: garden)
    let key = OpaqueKey.make(.invitation)
    let end = call.now.advanced(byDays: Invitation.days)
    return try await call.makeOnce { transaction, _ in
      // One at a time for a garden, so that the bound holds, and a manager who is being removed invites nobody.
      try await take(garden, for: user, as: .manager, in: transaction)
      let emailKey = new.email.asciiLowercased
      if try await !transaction.query(Self.findByEmail, garden, emailKey).isEmpty {
        throw Problem(.conflict, "The person with this address is already a member of the garden.")
      }
      let rows = try await transaction.query(
        Self.insert, context.makeIdentifier(), garden, new.role.rawValue, new.email, emailKey, key.digest, call.now,
        end, user.id)
      try await Self.bound.check(of: garden, in: transaction)
      let member = try Member(rows[0], showsEmail: true)
      let body = member.body { $0.member("token", key.text) }
      return Made(location: "/api/gardens/\(garden)/members/\(member.id)", body: body, isSecret: true)
    }.response
  }

  private func list(_ call: Call) async throws -> Response {
    let (user, garden) = (try call.user, try call.identifier("id"))
    let page = try call.identifierPage(try call.query(), list: "members:\(garden)")
    let role = try await access.role(user, in: garden)
    try GardenRole.viewer.require(role)
    let manages = role.map { $0 >= .manager } ?? false
    let rows = try await context.database.query(Self.byGarden, garden, page.before, manages, page.rowLimit)
    return call.list(try page.body(call, rows) { try Member($0, showsEmail: manages) })
  }

  private func change(_ call: Call) async throws -> Response {
    let (user, garden, id) = (try call.user, try call.identifier("id"), try call.identifier("memberId"))
    let role = try call.form(MemberChange.self).role
    var devices: [Identifier] = []
    let member = try await changes.commit(garden) { transaction in
      try await take(garden, for: user, as: role == .owner ? .owner : .manager, in: transaction)
      let before = try await find(id, of: garden, in: transaction)
      try call.requireMatch(before.body)
      guard role == .owner else {
        if let user = before.user, role < .manager { try await Invitation.end(by: user, to: garden, in: transaction) }
        return try Member(try await transaction.query(Self.setRole, id, role.rawValue)[0], showsEmail: true)
      }
      guard let heir = before.user else { throw Problem(.conflict, "The invitation has to be accepted first.") }
      try await require(heir, in: transaction)
      try await transaction.execute(Self.setOwner, garden, heir, call.now)
      try await GardenInput.checkBound(of: heir, in: transaction)
      devices = try await transaction.query(Self.devices, garden).map { try $0.decode(Identifier.self, 0) }
      return try Member(try await transaction.query(Self.swap, id, user.id)[0], showsEmail: true)
    }
    // Their keys are good only while their owner's account is not disabled, and the owner is another one now.
    await context.deviceKeys.changed(devices)
    return call.ok(member.body)
  }

  private func remove(_ call: Call) async throws -> Response {
    let (user, garden, id) = (try call.user, try call.identifier("id"), try call.identifier("memberId"))
    try await changes.commit(garden) { transaction in
      try await take(garden, for: user, as: .viewer, in: transaction)
      let member = try await find(id, of: garden, in: transaction)
      if member.user != user.id { try await take(garden, for: user, as: .manager, in: transaction) }
      try call.requireMatch(member.body)
      try await transaction.execute(Self.delete, id)
      if let user = member.user { try await Invitation.end(by: user, to: garden, in: transaction) }
    }
    return call.noContent()
  }

  private func accept(_ call: Call) async throws -> Response {
    let user = try call.user
    let text = call.request.withParameter("token") { String(decoding: $0, as: UTF8.self) }
    let unknown = Problem(.notFound, "The invitation is not valid or has expired.")
    guard let invitation = Invitation(text) else { throw unknown }
    do {
      return try await call.makeOnce { transaction, _ in
        guard let (garden, role) = try await invitation.accept(by: user.id, in: transaction, at: call.now) else {
          throw unknown
        }
        if try await !transaction.query(Self.ownedBy, garden, user.id).isEmpty {
          throw Problem(.conflict, "You own this garden.")
        }
        var json = JSONWriter()
        json.object { json in
          json.member("gardenId", garden)
          json.member("role", role)
        }
        return Made(status: .ok, body: json.take())
      }.response
    } catch let error as PostgresError where error.isUniqueViolation {
      throw Problem(.conflict, "You are already a member of this garden.")
    }
  }

  // MARK: Steps

  /// Locks the garden until the transaction's end. Throws 404 or 403 unless the user has `role` in it.
  private func take(
    _ garden: Identifier, for user: UserIdentity, as role: GardenRole, in transaction: Transaction
  ) async throws {
    guard try await transaction.execute(Self.lock, garden, user.id) == 1,
      // Read again under the lock: a statement that waited for it may see the members of before.
      let row = try await transaction.query(GardenAccess.visible, garden, user.id).first
    else { throw GardenAccess.notFound }
    var columns = row.columns
    try role.require(&columns)
  }

  private func find(_ id: Identifier, of garden: Identifier, in transaction: Transaction) async throws -> Member {
    guard let row = try await transaction.query(Self.byID, garden, id).first else { throw Self.noMember }
    return try Member(row, showsEmail: true)
  }

  /// Locks the account of the member who is to have the garden, until the transaction's end. Throws 409 when it is
  /// disabled, as its devices would be.
  private func require(_ heir: Identifier, in transaction: Transaction) async throws {
    guard let row = try await transaction.query(Self.lockHeir, heir).first else { throw Self.noMember }
    if try row.decode(Bool.self, 0) { throw Problem(.conflict, "The account of this member is disabled.") }
  }

  private static var noMember: Problem { Problem(.notFound, "The garden has no member with this id.") }

  /// Invitations that nobody accepted are listed for another week.
  static let expiry = Expiry(
    "expiry.invitations", from: "garden_members",
    where: "user_id IS NULL AND expires_at < now() - interval '7 days'")

  // MARK: SQL

  private static let lock = Statement(
    "members.lock",
    "SELECT FROM gardens WHERE id = $1 AND \(GardenRole.isVisible(to: "$2")) FOR NO KEY UPDATE")
  private static let lockHeir = Statement(
    "members.lockHeir", "SELECT disabled FROM users WHERE id = $1 FOR NO KEY UPDATE")
  private static let findByEmail = Statement(
    "members.findByEmail",
    """
    SELECT FROM users u JOIN gardens g ON g.id = $1
    WHERE u.email_key = $2 AND (g.owner_id = u.id OR EXISTS (
      SELECT FROM garden_members m WHERE m.garden_id = g.id AND m.user_id = u.id))
    """)
  // An invitation that has expired does not count.
  private static let bound = ListBound(
    "members.excess", of: "garden_members WHERE garden_id = $1 AND (user_id IS NOT NULL OR expires_at > now())",
    atMost: maximumOfGarden, "The garden has \(maximumOfGarden) members and invitations.")
  private static let insert = Statement(
    "members.insert",
    """
    WITH m AS (
      INSERT INTO garden_members (
        id, garden_id, role, email, email_key, hash, created_at, expires_at, invited_by, invited_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $7)
      ON CONFLICT (garden_id, email_key) WHERE user_id IS NULL DO UPDATE
      SET role = excluded.role, email = excluded.email, hash = excluded.hash, created_at = excluded.created_at,
        expires_at = excluded.expires_at, invited_by = excluded.invited_by, invited_at = excluded.invited_at
      RETURNING *
    )
    SELECT \(Member.columns) FROM m LEFT JOIN users u ON false
    """)
  private static let byGarden = Statement(
    "members.byGarden",
    """
    SELECT \(Member.columns) FROM garden_members m LEFT JOIN users u ON u.id = m.user_id
    WHERE m.garden_id = $1 AND m.id < $2 AND ($3 OR m.user_id IS NOT NULL) ORDER BY m.id DESC LIMIT $4
    """)
  private static let byID = Statement(
    "members.byID",
    """
    SELECT \(Member.columns) FROM garden_members m LEFT JOIN users u ON u.id = m.user_id
    WHERE m.garden_id = $1 AND m.id = $2
    """)
  private static let setRole = Statement(
    "members.setRole",
    """
    WITH m AS (UPDATE garden_members SET role = $2 WHERE id = $1 RETURNING *)
    SELECT \(Member.columns) FROM m LEFT JOIN users u ON u.id = m.user_id
    """)
  private static let setOwner = Statement(
    "members.setOwner",
    """
    UPDATE gardens SET owner_id = $2, updated_at = greatest($3, updated_at + interval '1 ms'),
      time_zone = \(GardenTimeZone.column(of: "gardens"))
    WHERE id = $1
    """)
  /// The former owner takes the heir's place, as a manager.
  private static let swap = Statement(
    "members.swap",
    """
    WITH m AS (
      UPDATE garden_members SET user_id = u.id, role = 'manager', email = u.email, email_key = u.email_key
      FROM users u WHERE garden_members.id = $1 AND u.id = $2 RETURNING garden_members.*
    )
    SELECT \(Member.columns) FROM m LEFT JOIN users u ON u.id = m.user_id
    """)
  private static let delete = Statement("members.delete", "DELETE FROM garden_members WHERE id = $1")
  private static let ownedBy = Statement("members.ownedBy", "SELECT FROM gardens WHERE id = $1 AND owner_id = $2")
  private static let devices = Statement("members.devices", "SELECT id FROM devices WHERE garden_id = $1")

  private static let membership = Schema.named(
    "Membership", .object([.required("gardenId", .identifier), .required("role", .cases(of: MemberRole.self))]),
    example: #"{"gardenId":"019aa5c0-0000-7000-8000-000000000007","role":"editor"}"#)
}
