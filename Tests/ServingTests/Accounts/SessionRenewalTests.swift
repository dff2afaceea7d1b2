import JSON
import Testing
import Values

@testable import Accounts
@testable import Secrets
@testable import Web

@Suite("Renewable sessions", .blocking)
struct SessionRenewalTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private func refresh(_ token: String?) throws -> Reply {
    try Client(server).post("/api/sessions/refresh", #"{"refreshToken":"\#(token ?? "")"}"#)
  }

  @Test("are renewed once by each refresh token, and end when one is used again")
  func rotation() throws {
    let (_, id) = try server.signedIn()
    let first = try server.login(id)["refreshToken"]?.text
    let second = try refresh(first)
    #expect(second.status == 200)
    let client = Client(server, token: try second.json["accessToken"]?.text)
    #expect(try client.get("/api/users/me").status == 200)
    // Long enough ago that the answer cannot have been lost just now.
    try server.withDatabase { database in
      try await database.execute(
        """
        UPDATE refresh_tokens SET noted_at = now() - interval '11 s'
        WHERE session_id IN (SELECT id FROM sessions WHERE user_id = \(id))
        """)
    }
    #expect(try refresh(first).status == 401)
    // Thief and owner have to sign in again.
    #expect(try refresh(try second.json["refreshToken"]?.text).status == 401)
    #expect(try client.get("/api/users/me").status == 401)
    #expect(try refresh("trt_nonsense").status == 401)
  }

  @Test("remember a used refresh token for as long as one is valid, and end if it is used again within that time")
  func usedTokens() throws {
    let (_, id) = try server.signedIn()
    let days = server.configuration.accounts.refreshTokenDays
    var tokens = [try #require(try server.login(id)["refreshToken"]?.text)]
    var access: String?
    for _ in 0..<3 {
      let renewed = try refresh(tokens.last).json
      tokens.append(try #require(renewed["refreshToken"]?.text))
      access = renewed["accessToken"]?.text
    }
    let digests = try tokens.map { try #require(OpaqueKey($0, .refreshToken)).digest }
    let left = try server.withDatabase { database in
      for (digest, age) in zip(digests, [days + 1, days - 1]) {
        try await database.execute(
          """
          UPDATE refresh_tokens SET used_at = used_at - make_interval(days => \(age)::integer) WHERE hash = \(digest)
          """)
      }
      // Long enough ago that no answer can have been lost just now.
      try await database.execute(
        """
        UPDATE refresh_tokens SET noted_at = now() - interval '11 s'
        WHERE session_id IN (SELECT id FROM sessions WHERE user_id = \(id))
        """)
      return try await database.transaction { transaction in
        _ = try await AccountFeature.usedTokenExpiry.after(days: days).delete(transaction, rows: 100)
        return try await transaction.query(
          """
          SELECT hash FROM refresh_tokens JOIN sessions ON sessions.id = session_id WHERE user_id = \(id)
          """
        ).map { try $0.decode([UInt8].self, 0) }
      }
    }
    #expect(Set(left) == Set(digests.dropFirst()))
    let client = Client(server, token: access)
    #expect(try refresh(tokens[0]).status == 401)
    #expect(try client.get("/api/users/me").status == 200)
    #expect(try refresh(tokens[1]).status == 401)
    #expect(try client.get("/api/users/me").status == 401)
  }

  @Test("give twenty clients at one address that use one refresh token at once the same next token")
  func race() async throws {
    let (_, id) = try server.signedIn()
    let token = try server.login(id)["refreshToken"]?.text
    let next = try await withThrowingTaskGroup(of: String?.self) { group in
      for _ in 0..<20 { group.addTask { try refresh(token).json["refreshToken"]?.text } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(next[0] != nil && Set(next).count == 1)
    #expect(try refresh(next[0]).status == 200)
  }

  @Test("that are not renewed in time end, even for a client that never got the answer to its last renewal")
  func late() throws {
    let (_, id) = try server.signedIn()
    let (unused, used) = (try server.login(id)["refreshToken"]?.text, try server.login(id)["refreshToken"]?.text)
    let renewed = try refresh(used)
    #expect(renewed.status == 200)
    let client = Client(server, token: try renewed.json["accessToken"]?.text)
    #expect(try client.get("/api/users/me").status == 200)
    try server.withDatabase { database in
      try await database.execute("UPDATE sessions SET expires_at = now() - interval '1 s' WHERE user_id = \(id)")
    }
    for token in [unused, used] { #expect(try refresh(token).status == 401) }
    #expect(try holds { try client.get("/api/users/me").status == 401 })
  }
}
