import Postgres
import Testing
import Values

@testable import Gardens
@testable import Settings

@Suite("The members of a garden", .blocking)
struct MembersTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private func person() throws -> Client { try server.signedIn().client }

  private func members(_ client: Client, _ garden: String) throws -> [JSONMember] {
    let reply = try client.get("/api/gardens/\(garden)/members")
    #expect(reply.status == 200)
    return try (reply.json["items"]?.elements ?? []).map {
      JSONMember(
        id: try #require($0["id"]?.text), role: try #require($0["role"]?.text), user: $0["userId"]?.text,
        email: $0["email"]?.text)
    }
  }

  private struct JSONMember {
    let id: String
    let role: String
    let user: String?
    let email: String?
  }

  @Test("join by an invitation that is shown once and works once, and see the garden from then on")
  func joining() throws {
    let (owner, guest, late) = (try person(), try person(), try person())
    let garden = try owner.makeGarden()
    let path = "/api/gardens/\(garden)/members"
    let made = try owner.post(path, #"{"email":"Grace@Example.org","role":"viewer"}"#)
    #expect(made.status == 201)
    #expect(made.header("cache-control") == "no-store")
    let token = try #require(try made.json["token"]?.text)
    #expect(token.hasPrefix("tiv_"))
    #expect(try guest.get("/api/gardens/\(garden)").status == 404)
    #expect(try guest.post("/api/invitations/\(token)", "").json["role"]?.text == "viewer")
    #expect(try late.post("/api/invitations/\(token)", "").status == 404)
    #expect(try guest.get("/api/gardens/\(garden)").status == 200)
    let listed = try guest.get("/api/gardens").json["items"]?.elements?.compactMap { $0["id"]?.text }
    #expect(listed?.contains(garden) == true)
    #expect(try guest.get("/api/gardens?owner=me").json["items"]?.elements?.isEmpty == true)
    let shared = try guest.get("/api/gardens?owner=others").json["items"]?.elements?.compactMap { $0["id"]?.text }
    #expect(shared == [garden])
    #expect(try owner.get("/api/gardens?owner=others").json["items"]?.elements?.isEmpty == true)

    // Inviting an address again voids the invitation that was sent before.
    let first = try #require(try owner.post(path, #"{"email":"b@example.org","role":"viewer"}"#).json["token"]?.text)
    let second = try #require(try owner.post(path, #"{"email":"B@example.org","role":"editor"}"#).json["token"]?.text)
    #expect(try late.post("/api/invitations/\(first)", "").status == 404)
    #expect(try owner.post("/api/invitations/\(second)", "").status == 409)
    #expect(try guest.post("/api/invitations/\(second)", "").status == 409)
    #expect(try late.post("/api/invitations/\(second)", "").status == 200)
    let email = try #require(try late.get("/api/users/me").json["email"]?.text)
    #expect(try owner.post(path, #"{"email":"\#(email)","role":"viewer"}"#).status == 409)
  }

  @Test("are shown to each other, and to owner and managers with addresses and invitations")
  func listing() throws {
    let (owner, viewer, manager) = (try person(), try person(), try person())
    let garden = try owner.makeGarden()
    try owner.share(garden, as: .viewer, with: viewer)
    try owner.share(garden, as: .manager, with: manager)
    #expect(
      try manager.post("/api/gardens/\(garden)/members", #"{"email":"c@example.org","role":"viewer"}"#).status == 201)
    let seen = try members(viewer, garden)
    #expect(seen.map(\.role) == ["manager", "viewer"])
    #expect(seen.allSatisfy { $0.email == nil && $0.user != nil })
    for client in [owner, manager] {
      let all = try members(client, garden)
      #expect(all.map(\.role) == ["viewer", "manager", "viewer"])
      #expect(all.map { $0.user == nil } == [true, false, false])
      #expect(all.allSatisfy { $0.email != nil })
    }
  }

  @Test("change roles, leave and are removed, which ends the streams that they watch")
  func changing() throws {
    let (owner, member, manager) = (try person(), try person(), try person())
    let garden = try owner.makeGarden()
    try owner.share(garden, as: .viewer, with: member)
    try owner.share(garden, as: .manager, with: manager)
    let id = try #require(try members(owner, garden).last?.id)
    let path = "/api/gardens/\(garden)/members/\(id)"
    #expect(try member.post("/api/gardens/\(garden)/devices", #"{"name":"a"}"#).status == 403)
    #expect(try member.patch(path, #"{"role":"editor"}"#).status == 403)
    #expect(try manager.patch(path, #"{"role":"editor"}"#).json["role"]?.text == "editor")
    #expect(try member.post("/api/gardens/\(garden)/devices", #"{"name":"a"}"#).status == 201)
    #expect(try manager.patch(path, #"{"role":"owner"}"#).status == 403)
    #expect(try manager.delete("/api/gardens/\(garden)").status == 403)

    let stream = try EventStream(server, garden, token: member.token)
    #expect(stream.status == 200)
    #expect(try manager.delete(path).status == 204)
    while try stream.nextPart() != nil {}
    #expect(stream.isWhole)
    #expect(try member.get("/api/gardens/\(garden)").status == 404)
    let own = try #require(try members(manager, garden).first?.id)
    #expect(try manager.delete("/api/gardens/\(garden)/members/\(own)").status == 204)
    #expect(try manager.get("/api/gardens/\(garden)/members").status == 404)
  }

  @Test("may be handed the garden by its owner, who is a manager from then on")
  func handingOver() throws {
    let (owner, heir) = (try person(), try person())
    let garden = try owner.makeGarden()
    try owner.share(garden, as: .viewer, with: heir)
    let id = try #require(try members(owner, garden).first?.id)
    #expect(try owner.patch("/api/gardens/\(garden)/members/\(id)", #"{"role":"owner"}"#).status == 200)
    #expect(try heir.get("/api/gardens?owner=me").json["items"]?.elements?.count == 1)
    #expect(try members(heir, garden).map(\.role) == ["manager"])
    #expect(try owner.delete("/api/gardens/\(garden)").status == 403)
    #expect(try heir.delete("/api/gardens/\(garden)").status == 204)
  }

  @Test("are handed a garden of many devices by a few messages to all servers, which forget the devices' keys by them")
  func announcing() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (owner, heir) = (try server.signedIn().client, try server.signedIn().client)
    let garden = try owner.makeGarden()
    let (id, silent) = (try #require(Identifier(garden)), 2_000)
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
        SELECT gen_random_uuid(), \(id), 'Silent', sha256(gen_random_uuid()::text::bytea), now(), now()
        FROM generate_series(1, \(silent))
        """)
    }
    let device = try owner.makeDevice(in: garden)
    try owner.share(garden, as: .viewer, with: heir)
    let member = try #require(try members(owner, garden).first?.id)
    let redis = try RedisWire()
    try redis.send("SUBSCRIBE", "\(server.configuration.redis.keyPrefix)announcements")
    #expect(try owner.patch("/api/gardens/\(garden)/members/\(member)", #"{"role":"owner"}"#).status == 200)
    var (announced, messages) = (Set<String>(), 0)
    while announced.count <= silent, messages < 20 {
      announced.formUnion(try redis.receive().split(separator: " ").dropFirst(3).map { String($0) })
      messages += 1
    }
    #expect(announced.count > silent && announced.contains(device.id))

    // For every connection, on either loop.
    let readers = server.clients(6, token: device.key)
    for reader in readers { #expect(try reader.get("/api/device").status == 200) }
    #expect(try heir.delete("/api/gardens/\(garden)").status == 204)
    // Sooner than what they remember expires.
    #expect(try holds(within: 3) { try readers.allSatisfy { try $0.get("/api/device").status == 401 } })
  }

  @Test("join once however often they accept with the same Idempotency-Key")
  func joiningAgain() throws {
    let (owner, guest) = (try person(), try person())
    let garden = try owner.makeGarden()
    let invitation = try owner.post("/api/gardens/\(garden)/members", #"{"email":"a@example.org","role":"viewer"}"#)
    let path = "/api/invitations/\(try #require(try invitation.json["token"]?.text))"
    let replies = try (0..<2).map { _ in try guest.post(path, "", headers: ["Idempotency-Key: a"]) }
    #expect(replies.map(\.status) == [200, 200])
    #expect(replies[0].body == replies[1].body)
    #expect(try replies[1].json["gardenId"]?.text == garden)
    #expect(try guest.post(path, "").status == 404)
    #expect(try members(owner, garden).count == 1)
  }

  @Test("are limited in number: an address invited again counts once, and one whose invitation has expired does not")
  func bound() throws {
    let owner = try person()
    let garden = try owner.makeGarden()
    let id = try #require(Identifier(garden))
    func change(_ sql: SQL) throws { try server.withDatabase { _ = try await $0.execute(sql) } }
    func invite(_ name: String) throws -> Int {
      try owner.post("/api/gardens/\(garden)/members", #"{"email":"\#(name)@example.org","role":"viewer"}"#).status
    }
    try change(
      """
      INSERT INTO garden_members (id, garden_id, role, email, email_key, hash, created_at, expires_at)
      SELECT gen_random_uuid(), \(id), 'viewer', n || '@example.org', n || '@example.org',
        sha256(gen_random_uuid()::text::bytea), now(), now() + interval '14 days'
      FROM generate_series(1, \(Members.maximumOfGarden)) n
      """)
    #expect(try invite("one-more") == 409)
    #expect(try invite("7") == 201)
    try change("UPDATE garden_members SET expires_at = now() WHERE garden_id = \(id) AND email = '8@example.org'")
    #expect(try invite("one-more") == 201)
    #expect(try invite("8") == 409)
  }

  /// A garden that is shared with `heir`, and the path of that membership.
  private func shared() throws -> (owner: Client, garden: String, heir: Identifier, path: String) {
    let (owner, (heir, id)) = (try person(), try server.signedIn())
    let garden = try owner.makeGarden()
    try owner.share(garden, as: .viewer, with: heir)
    let member = try #require(try members(owner, garden).first?.id)
    return (owner, garden, id, "/api/gardens/\(garden)/members/\(member)")
  }

  @Test("are not handed the garden while their account is disabled")
  func disabledHeir() throws {
    let (owner, garden, heir, path) = try shared()
    try server.withDatabase { try await $0.execute("UPDATE users SET disabled = true WHERE id = \(heir)") }
    let refused = try owner.patch(path, #"{"role":"owner"}"#)
    #expect(refused.status == 409 && refused.problem == "conflict")
    #expect(try members(owner, garden).map(\.role) == ["viewer"])
  }

  @Test("are not handed the garden when their account is erased meanwhile")
  func erasedHeir() throws {
    let (owner, garden, heir, path) = try shared()
    let (server, token) = (server, owner.token)
    let reply = try server.answer(
      to: { try Client(server, token: token).patch(path, #"{"role":"owner"}"#) },
      before: { try await $0.execute("DELETE FROM users WHERE id = \(heir)") })
    #expect(reply.status == 404)
    #expect(try owner.get("/api/gardens/\(garden)").status == 200)
  }
}
