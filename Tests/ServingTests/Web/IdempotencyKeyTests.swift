import Postgres
import Testing
import Values

@testable import Migrations

@Suite("An Idempotency-Key", .blocking)
struct IdempotencyKeyTests {
  @Test("locks nothing but itself, even one that was chosen for the lock of migrations")
  func chosen() throws {
    let server = try LiveServer.shared.get()
    let user = try #require(Identifier("01900000-0000-7000-8000-000000000001"))
    let key = "0000000000276g]{P@^IT}"
    let text = "\(user) \(key)"
    // A text for any value of Postgres' hash is found within a second.
    let isChosen = try server.withDatabase { database in
      let rows = try await database.query("SELECT hashtextextended(\(text), 0) = \(Migrator.lockKey)")
      return try rows[0].decode(Bool.self, 0)
    }
    #expect(isChosen)

    let (client, _) = try server.signedIn(id: user)
    let migrator = try server.hold("SELECT pg_advisory_xact_lock(\(Migrator.lockKey))")
    defer { migrator.release() }
    let made = try client.post("/api/gardens", #"{"name":"Beds"}"#, headers: ["Idempotency-Key: \(key)"])
    #expect(made.status == 201, "\(made.text)")
  }

  @Test("makes nothing a second time during a deploy, although the previous release claims it by another lock")
  func otherRelease() throws {
    let server = try LiveServer.shared.get()
    let (client, id) = try server.signedIn()
    let token = client.token
    let reply = try server.answer(
      to: {
        try Client(server, token: token).post("/api/gardens", #"{"name":"Beds"}"#, headers: ["Idempotency-Key: k"])
      },
      before: { transaction in
        try await transaction.execute(
          """
          INSERT INTO idempotency_keys (user_id, key, body_hash, status, location, body, created_at)
          VALUES (\(id), 'k', '', 201, '', '', now())
          """)
      })
    #expect(reply.status == 409 && reply.problem == "request-in-progress")
    #expect(try client.get("/api/gardens?owner=me").items.isEmpty)
  }
}
