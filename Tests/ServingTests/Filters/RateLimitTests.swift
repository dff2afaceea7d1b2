import Postgres
import Testing
import Values

@testable import Secrets

@Suite("Rate limits")
struct RateLimitTests {
  private static func server(_ settings: [String: String]) throws -> LiveServer {
    try LiveServer(settings.merging(["TRUSTED_PROXIES": "127.0.0.1"]) { $1 })
  }

  /// How often a statement was sent to Postgres.
  private func queries(_ statement: String, _ server: LiveServer) throws -> Int {
    let mark = "database_query_duration_seconds_count{statement=\"\(statement)\"} "
    let lines = try Client(server).get("/metrics").text.split(separator: "\n")
    return lines.first { $0.hasPrefix(mark) }.flatMap { Int($0.dropFirst(mark.count)) } ?? 0
  }

  @Test("hold for bad credentials of every kind, which then cost no query", arguments: [1, 8])
  func badCredentials(clients: Int) throws {
    let server = try Self.server(["RATE_LIMIT_ANONYMOUS": "5/60"])
    defer { server.stop() }
    let statuses = try together(clients) { _ in
      let client = Client(server)
      return try (0..<300 / clients).map { index in
        let field = index % 2 == 0 ? OpaqueKey.make(.deviceKey).text : "a.b.c"
        return try client.get("/api/gardens", headers: ["Authorization: Bearer \(field)"]).status
      }
    }.flatMap { $0 }
    #expect(statuses.filter { $0 == 401 }.count == 5)
    #expect(statuses.allSatisfy { $0 == 401 || $0 == 429 })
    #expect(try queries("devices.byKey", server) <= 5)
  }

  @Test("charge the owner of a good credential, and nobody else for it")
  func goodCredentials() throws {
    let server = try Self.server(["RATE_LIMIT_ANONYMOUS": "3/600", "RATE_LIMIT_DEVICE": "20/600", "WORKERS": "1"])
    defer { server.stop() }
    let (user, _) = try server.signedIn()
    let device = try user.makeDevice(in: try user.makeGarden())
    let probe = Client(server, token: device.key)
    let path = "/api/devices/\(device.id)/readings"
    for _ in 0..<10 { #expect(try probe.get(path).status == 200) }
    let anonymous = Client(server)
    let answers = try (0..<4).map { _ in try anonymous.get("/api/users/me").status }
    #expect(answers == [401, 401, 401, 429])
    // Its network has nothing left; a key that has been good goes on.
    #expect(try probe.get(path).status == 200)
    #expect(try probe.get(path).header("ratelimit")?.hasPrefix("\"device\";r=8;") == true)
    // What a device may not do is charged to it.
    #expect(try probe.get("/api/users/me").status == 403)
    #expect(try probe.get(path).header("ratelimit")?.hasPrefix("\"device\";r=6;") == true)
  }

  @Test("take a /64 of IPv6 for one client")
  func neighbours() throws {
    let server = try Self.server(["RATE_LIMIT_ANONYMOUS": "5/600"])
    defer { server.stop() }
    let client = Client(server)
    let statuses = try (0..<6).map {
      try client.get("/api/gardens", headers: ["X-Forwarded-For: 2001:db8:1:2::\($0)"]).status
    }
    #expect(statuses == [200, 200, 200, 200, 200, 429])
    #expect(try client.get("/api/gardens", headers: ["X-Forwarded-For: 2001:db8:1:3::1"]).status == 200)
  }

  @Test("do not hold for metrics")
  func metrics() throws {
    let server = try Self.server(["RATE_LIMIT_ANONYMOUS": "2/600"])
    defer { server.stop() }
    let client = Client(server)
    for _ in 0..<5 { #expect(try client.get("/metrics").status == 200) }
  }

  private func register(_ server: LiveServer) throws -> Reply {
    try Client(server).post(
      "/api/users",
      #"{"email":"\#(Identifier.make(unixMilliseconds: 1))@example.org","password":"correct horse battery","displayName":"A"}"#
    )
  }

  @Test("hold for registrations of one address, but not for those that are told to come again")
  func registrations() throws {
    let server = try Self.server(["RATE_LIMIT_REGISTRATION": "2/600"])
    defer { server.stop() }
    try server.losePostgres()
    for _ in 0..<3 { #expect(try register(server).status == 503) }
    try server.regainPostgres()
    // On both loops again.
    #expect(try holds(within: 60) { try server.clients().allSatisfy { try $0.get("/api/gardens").status == 200 } })
    let replies = try (0..<3).map { _ in try register(server) }
    #expect(replies.map(\.status) == [201, 201, 429])
    #expect(Int(replies[2].header("retry-after") ?? "") ?? 0 > 200)
  }
}
