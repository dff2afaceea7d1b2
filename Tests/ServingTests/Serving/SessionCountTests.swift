import JSON
import Postgres
import Testing

@testable import Serving

@Suite("The number of sessions", .blocking)
struct SessionCountTests {
  private let server: LiveServer

  init() throws {
    server = try LiveServer()
    server.stop()
    let (_, user) = try server.signedIn()
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO sessions (id, user_id, client_address, created_at, last_used_at, expires_at, revoked_at)
        SELECT gen_random_uuid(), \(user), '203.0.113.7', now(), now(), now() + (n % 4 - 0.5) * interval '1 day',
          CASE WHEN n % 8 = 1 THEN now() END
        FROM generate_series(1, 20000) n
        """)
    }
  }

  @Test("is exact while there are few, and beyond that estimated from a bounded number of blocks")
  func estimate() throws {
    // Three quarters have not expired, of which a sixth was revoked; the one more is the user's own.
    let live = 12_501.0
    let (exact, estimate, blocks) = try server.withDatabase { database in
      (
        await SessionCount.measure(database), await SessionCount.measure(database, maximumBlocks: 50),
        try await Self.blocksRead(database, maximum: 50)
      )
    }
    #expect(exact == live)
    #expect(abs(estimate / live - 1) < 0.5, "\(estimate)")
    #expect((25...90).contains(blocks), "\(blocks)")
  }

  @Test("is unknown, and not what it was before, if it cannot be counted")
  func failure() throws {
    let counts = try server.withDatabase { database in
      let before = await SessionCount.measure(database)
      try await database.execute("ALTER TABLE sessions RENAME TO others")
      return (before, await SessionCount.measure(database))
    }
    #expect(counts.0 > 0 && counts.1.isNaN)
  }

  private static func blocksRead(_ database: Database, maximum: Int) async throws -> Int64 {
    let statement = SessionCount.live.text.replacing("$1", with: "\(maximum)")
    let rows = try await database.query(SQL(unescaped: "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) \(statement)"))
    let plan = try JSONReader.parse(try rows[0].decode(PostgresJSON.self, 0).bytes).elements?.first?["Plan"]
    return (plan?["Shared Hit Blocks"]?.integer ?? 0) + (plan?["Shared Read Blocks"]?.integer ?? 0)
  }
}
