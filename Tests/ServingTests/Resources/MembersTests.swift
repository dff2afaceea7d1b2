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

  @Test("join by an invitation that is good once and shown once, and see the garden from then on")
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

    // To invite an address again voids what was sent before.
    let first = try #require(try owner.post(path, #"{"email":"b@example.org","role":"viewer"}"#).json["token"]?.text)
    let second = try #require(try owner.post(path, #"{"email":"B@example.org","role":"editor"}"#).json["token"]?.text)
    #expect(try late.post("/api/invitations/\(first)", "").status == 404)
    #expect(try owner.post("/api/invitations/\(second)", "").status == 409)
    #expect(try guest.post("/api/invitations/\(second)", "").status == 409)
    #expect(try late.post("/api/invitations/\(second)", "").status == 200)
    let email = try #require(try late.get("/api/users/me").json["email"]?.text)
    #expect(try owner.post(path, #"{"email":"\#(email)","role":"viewer"}"#).status == 409)
  }

  @Test("are shown to each other, with addresses and invitations to those who manage them")
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

  @Test("get other roles, leave, and are put out, which ends the streams that they watch")
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

  @Test("may be handed the garden by its owner, who manages it from then on")
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
}
