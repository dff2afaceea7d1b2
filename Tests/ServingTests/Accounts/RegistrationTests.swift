import Testing
import Values

@testable import Accounts
@testable import Settings

@Suite("Registration", .blocking)
struct RegistrationTests {
  private static func body(_ email: String, _ members: String = "") -> String {
    #"{"email":"\#(email)","password":"a long enough password","displayName":"Grace"\#(members)}"#
  }

  @Test("is refused where only the operator creates accounts")
  func closed() throws {
    let server = try LiveServer(["REGISTRATION": "closed"])
    defer { server.stop() }
    let reply = try Client(server).post("/api/users", Self.body("a@example.org"))
    #expect(reply.status == 403)
    #expect(reply.problem == "registration-closed")
  }

  @Test("that is sent again after a change of the server's secret gets the same answer")
  func rotated() throws {
    let before = try LiveServer()
    func register(_ server: LiveServer) throws -> Reply {
      try Client(server).post("/api/users", Self.body("r@example.org"), headers: ["Idempotency-Key: once"])
    }
    let made = try register(before)
    #expect(made.status == 201)
    before.stop()
    let secrets = [
      "JWT_SECRET": "ABCDEF-0123456789-abcdef-9876543210",
      "JWT_SECRET_PREVIOUS": before.configuration.accounts.jwtSecret,
    ]
    let after = try before.replica(secrets)
    defer { after.stop() }
    let again = try register(after)
    #expect(again.status == 201 && again.body == made.body)
  }

  @Test("by invitation accepts an invitation to a garden once, until it expires")
  func invited() throws {
    let server = try LiveServer(["REGISTRATION": "invite"])
    defer { server.stop() }
    let ((owner, ownerID), anyone) = (try server.signedIn(), Client(server))
    let garden = try owner.makeGarden()
    let invitation = try owner.post("/api/gardens/\(garden)/members", #"{"email":"g@example.org","role":"viewer"}"#)
    let token = try #require(try invitation.json["token"]?.text)
    #expect(try anyone.post("/api/users", Self.body("g@example.org")).problem == "registration-closed")
    let wrong = try anyone.post("/api/users", Self.body("g@example.org", #","invitation":"tiv_x""#))
    #expect(wrong.pointers == ["/invitation"])
    let members = #","invitation":"\#(token)""#
    func register() throws -> Reply {
      try anyone.post("/api/users", Self.body("g@example.org", members), headers: ["Idempotency-Key: guest"])
    }
    try server.ageInvitations(to: garden, hours: 14 * 24 + 1)
    #expect(try register().pointers == ["/invitation"])
    try server.ageInvitations(to: garden, hours: -2)
    try server.disable(ownerID)
    #expect(try register().pointers == ["/invitation"])
    // None of these registered anyone: the address is still free.
    try server.disable(ownerID, false)
    let made = try register()
    #expect(made.status == 201)
    // Sent again, although the first request has used the invitation up.
    let again = try register()
    #expect(again.status == 201 && again.body == made.body)
    #expect(try anyone.post("/api/users", Self.body("g@example.org", members)).pointers == ["/invitation"])
    #expect(try anyone.post("/api/users", Self.body("h@example.org", members)).pointers == ["/invitation"])
    #expect(try owner.get("/api/gardens/\(garden)/members").json["items"]?.elements?.first?["userId"]?.text != nil)
  }
}
