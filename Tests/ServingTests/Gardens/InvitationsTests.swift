import Postgres
import Reactor
import Secrets
import Testing
import Values

@testable import Gardens
@testable import Web

@Suite("An invitation to a garden", .blocking)
struct InvitationsTests {
  private let server: LiveServer
  private let (owner, ownerID): (Client, Identifier)
  private let (manager, managerID): (Client, Identifier)
  private let garden: String
  private var path: String { "/api/gardens/\(garden)/members" }

  init() throws {
    server = try LiveServer.shared.get()
    (owner, ownerID) = try server.signedIn()
    (manager, managerID) = try server.signedIn()
    garden = try owner.makeGarden()
    try owner.share(garden, as: .manager, with: manager)
  }

  /// Invites an address in the name of `client`; returns the token of the invitation.
  private func invite(_ client: Client, _ email: String = "spare@example.org") throws -> String {
    let made = try client.post(path, #"{"email":"\#(email)","role":"manager"}"#)
    return try #require(try made.json["token"]?.text, "\(made.status) \(made.text)")
  }

  private func accept(_ token: String, _ client: Client? = nil) throws -> Int {
    try (client ?? server.signedIn().client).post("/api/invitations/\(token)", "").status
  }

  /// The path of a user's membership, by default the manager's.
  private func line(of user: Identifier? = nil) throws -> String {
    let items = try manager.get(path).json["items"]?.elements
    let line = items?.first { $0["userId"]?.text == "\(user ?? managerID)" }
    return "\(path)/\(try #require(line?["id"]?.text))"
  }

  /// How a manager loses the right to invite.
  enum Ending: CaseIterable { case removed, gone, lowered, erased }

  @Test("ends when its inviter may no longer invite, and invitations of others stay", arguments: Ending.allCases)
  func ending(_ ending: Ending) throws {
    let (tokens, kept) = (try [invite(manager), invite(manager, "b@example.org")], try invite(owner, "c@example.org"))
    let status =
      switch ending {
      case .removed: try owner.delete(line()).status
      case .gone: try manager.delete(line()).status
      case .lowered: try owner.patch(line(), #"{"role":"editor"}"#).status
      case .erased: try manager.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status
      }
    #expect(status == (ending == .lowered ? 200 : 204))
    if ending != .erased { #expect(try accept(tokens[0], manager) == 404) }
    #expect(try accept(tokens[1]) == 404)
    #expect(try owner.get(path).json["items"]?.elements?.filter { $0["userId"]?.text == nil }.count == 1)
    #expect(try accept(kept) == 200)
  }

  @Test("lets nobody in while its inviter's account is disabled")
  func disabled() throws {
    let (guest, token, other) = (try server.signedIn().client, try invite(manager), try invite(owner, "b@example.org"))
    try server.disable(managerID)
    #expect(try accept(token, guest) == 404)
    #expect(try guest.get(path).status == 404)
    #expect(try accept(other) == 200)
    try server.disable(managerID, false)
    #expect(try accept(token, guest) == 200)
  }

  @Test("stays when the garden is handed over and its inviter remains a manager, or someone who stays has renewed it")
  func staying() throws {
    let own = try invite(owner)
    #expect(try owner.patch(line(), #"{"role":"owner"}"#).status == 200)
    #expect(try accept(own) == 200)

    let (before, voided) = (try invite(owner, "b@example.org"), try invite(owner, "c@example.org"))
    let anew = try invite(manager, "c@example.org")
    #expect(try manager.delete(line(of: ownerID)).status == 204)
    for token in [before, voided] { #expect(try accept(token) == 404) }
    #expect(try accept(anew) == 200)
  }

  /// Invites somebody again as a release that knows nothing of inviters does, and returns the token.
  private func renewByReleaseBefore(_ email: String) throws -> String {
    let (key, garden) = (OpaqueKey.make(.invitation), try #require(Identifier(garden)))
    let id = Identifier.make(unixMilliseconds: Clock.unixMilliseconds())
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO garden_members (id, garden_id, role, email, email_key, hash, created_at, expires_at)
        VALUES (\(id), \(garden), 'viewer', \(email), \(email), \(key.digest), now(), now() + interval '1 day')
        ON CONFLICT (garden_id, email_key) WHERE user_id IS NULL DO UPDATE
        SET role = excluded.role, email = excluded.email, hash = excluded.hash, created_at = excluded.created_at,
          expires_at = excluded.expires_at
        """)
    }
    return key.text
  }

  @Test("that the previous release has renewed stays when its first inviter is removed or disabled")
  func renewed() throws {
    let (first, second) = ("a@example.org", "b@example.org")
    _ = try [invite(manager, first), invite(owner, second)]
    let (kept, open) = (try renewByReleaseBefore(first), try renewByReleaseBefore(second))
    let guest = try server.signedIn().client
    try server.disable(ownerID)
    #expect(try accept(open, guest) == 200)
    try server.disable(ownerID, false)
    #expect(try owner.delete(line()).status == 204)
    #expect(try accept(kept) == 200)
  }

  @Test("that is renewed after the previous release has renewed it ends with its last inviter")
  func renewedTwice() throws {
    let email = "a@example.org"
    _ = try invite(owner, email)
    let voided = try renewByReleaseBefore(email)
    let last = try invite(manager, email)
    #expect(try owner.delete(line()).status == 204)
    for token in [voided, last] { #expect(try accept(token) == 404) }
  }

  /// The previous release knows nothing of inviters, and leaves `invited_by` as it is when an invitation is accepted.
  @Test("makes a member who stays when the inviter is erased", arguments: [false, true])
  func joined(byReleaseBefore: Bool) throws {
    let (guest, id) = try server.signedIn()
    #expect(try accept(invite(manager), guest) == 200)
    let inviter = try server.withDatabase { database in
      if byReleaseBefore {
        try await database.execute("UPDATE garden_members SET invited_by = \(managerID) WHERE user_id = \(id)")
      }
      return try await database.query("SELECT invited_by FROM garden_members WHERE user_id = \(id)")[0]
        .decode(Identifier?.self, 0)
    }
    #expect(inviter == (byReleaseBefore ? managerID : nil))
    #expect(try manager.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#).status == 204)
    #expect(try guest.get(path).status == 200)
  }

  @Test("is not made by a manager who is removed meanwhile")
  func removedMeanwhile() throws {
    let (server, token, path, managerID) = (server, manager.token, path, managerID)
    let garden = try #require(Identifier(garden))
    let reply = try server.answer(
      to: { try Client(server, token: token).post(path, #"{"email":"a@example.org","role":"viewer"}"#) },
      before: { transaction in
        try await transaction.execute("SELECT FROM gardens WHERE id = \(garden) FOR NO KEY UPDATE")
        try await transaction.execute("DELETE FROM garden_members WHERE user_id = \(managerID)")
      })
    #expect(reply.status == 404)
    #expect(try owner.get(path).json["items"]?.elements?.isEmpty == true)
  }

  @Test("is good for a fortnight")
  func late() throws {
    let (guest, token) = (try server.signedIn().client, try invite(owner))
    try server.ageInvitations(to: garden, hours: 14 * 24 + 1)
    #expect(try accept(token, guest) == 404)
    #expect(try guest.get(path).status == 404)
    try server.ageInvitations(to: garden, hours: -2)
    #expect(try accept(token, guest) == 200)
  }
}

extension LiveServer {
  /// Makes the invitations to a garden `hours` older.
  func ageInvitations(to garden: String, hours: Int) throws {
    try withDatabase { database in
      try await database.execute(
        """
        UPDATE garden_members SET expires_at = expires_at - make_interval(hours => \(hours)::integer)
        WHERE garden_id::text = \(garden)
        """)
    }
  }

  /// Disables an account, or enables it again if `isDisabled` is false.
  func disable(_ user: Identifier, _ isDisabled: Bool = true) throws {
    try withDatabase { try await $0.execute("UPDATE users SET disabled = \(isDisabled) WHERE id = \(user)") }
  }
}
