import Postgres
import Reactor
import Testing
import Values

@testable import Secrets

@Suite("Rate limits", .blocking)
struct RateLimitTests {
  private static func server(_ settings: [String: String]) throws -> LiveServer {
    try LiveServer(settings.merging(["TRUSTED_PROXIES": "127.0.0.1"]) { $1 })
  }

  /// How often a statement was sent to Postgres.
  private func queries(_ statement: String, _ server: LiveServer) throws -> Int {
    try server.metric(#"database_query_duration_seconds_count{statement="\#(statement)"}"#)
  }

  @Test("apply to bad credentials of every kind, which then cost no query", arguments: [1, 8])
  func badCredentials(clients: Int) throws {
    let server = try Self.server(["RATE_LIMIT_ANONYMOUS": "5/600"])
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
    #expect(try (1...5).contains(queries("devices.byKey", server)))
  }

  @Test("charge a request with a good credential to its owner, and to nobody else")
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
    // The network's limit is used up; a key that is known as good is still served.
    #expect(try probe.get(path).status == 200)
    #expect(try probe.get(path).header("ratelimit")?.hasPrefix("\"device\";r=8;") == true)
    // A request that the device may not make is charged to the device.
    #expect(try probe.get("/api/users/me").status == 403)
    #expect(try probe.get(path).header("ratelimit")?.hasPrefix("\"device\";r=6;") == true)
  }

  @Test("count an IPv6 /64 as one client")
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

  @Test("apply to pages and documents too")
  func pages() throws {
    let paths = ["/", "/gardens", "/shops", "/status", "/docs", "/openapi.json", "/assets/terroir.css"]
    let server = try Self.server(["RATE_LIMIT_ANONYMOUS": "\(paths.count)/600"])
    defer { server.stop() }
    let client = Client(server)
    for status in [200, 429] {
      for path in paths {
        let reply = try client.get(path)
        #expect(reply.status == status && reply.header("ratelimit") != nil, "\(path)")
      }
    }
  }

  @Test("do not apply to metrics")
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

  @Test("apply to registrations from one address, but do not count those answered 503")
  func registrations() throws {
    let server = try Self.server(["RATE_LIMIT_REGISTRATION": "2/600"])
    defer { server.stop() }
    try server.losePostgres()
    for _ in 0..<3 { #expect(try register(server).status == 503) }
    try server.regainPostgres()
    // Both loops have Postgres again.
    #expect(try holds(within: 60) { try server.clients().allSatisfy { try $0.get("/api/gardens").status == 200 } })
    let replies = try (0..<3).map { _ in try register(server) }
    #expect(replies.map(\.status) == [201, 201, 429])
    #expect(Int(replies[2].header("retry-after") ?? "") ?? 0 > 200)
  }

  /// How many scripts were run in Redis.
  private func scripts(_ server: LiveServer) throws -> Int {
    try server.metric(#"redis_command_duration_seconds_count{command="EVALSHA"}"#)
  }

  /// The tokens in this machine's shared bucket, as last written to Redis.
  private func tokens(_ server: LiveServer) throws -> Double? {
    let key = "\(server.configuration.redis.keyPrefix)rate:anonymous:127.0.0.1"
    return Double(try RedisWire().send("HGET", key, "t"))
  }

  @Test("are shared by replicas, which together never exceed them, and fall short by at most their leases")
  func leases() throws {
    // A lease is 25 tokens, those of a quarter of a second.
    let (quota, perSecond, lease, loops) = (400, 100.0, 25, 4)
    let limit = ["RATE_LIMIT_ANONYMOUS": "\(quota)/4"]
    let one = try Self.server(limit)
    defer { one.stop() }
    let two = try one.replica(limit.merging(["TRUSTED_PROXIES": "127.0.0.1"]) { $1 })
    defer { two.stop() }
    let from = ["X-Forwarded-For: 198.51.100.9"]
    let begun = Clock.monotonic()
    let statuses = try together(8) { index in
      let client = Client(index % 2 == 0 ? one : two)
      return try (0..<300).map { _ in try client.get("/api/gardens", headers: from).status }
    }.flatMap { $0 }
    let seconds = Double(Clock.monotonic() - begun) / 1e9
    let allowed = statuses.filter { $0 == 200 }.count
    #expect(statuses.allSatisfy { $0 == 200 || $0 == 429 })
    #expect(allowed <= quota + Int(perSecond * seconds) + 1)
    #expect(allowed >= min(statuses.count, quota) - lease * loops)
  }

  @Test("lease tokens from Redis for many requests at once, tell how many are left, and give idle ones back")
  func idleLease() throws {
    // A lease is 250 tokens, those of a quarter of a second.
    let server = try LiveServer(["RATE_LIMIT_ANONYMOUS": "10000/10", "WORKERS": "1"])
    defer { server.stop() }
    let client = Client(server)
    #expect(try client.get("/api/gardens").header("ratelimit-policy") == "\"anonymous\";q=10000;w=10")
    let (before, begun) = (try scripts(server), Clock.monotonic())
    let replies = try (0..<50).map { _ in try client.get("/api/gardens") }
    // When a second passes between two requests, the lease is given back and another one is taken.
    #expect(try scripts(server) <= before + 5 + 2 * Int((Clock.monotonic() - begun) / 1_000_000_000))
    // Includes tokens that flow in meanwhile; the header never shows more than there are.
    let left = replies.compactMap { reply -> Int? in
      guard let field = reply.header("ratelimit"), field.hasPrefix("\"anonymous\";r=") else { return nil }
      return Int(field.dropFirst(14).prefix { $0.isNumber })
    }
    #expect(left.count == 50 && left.allSatisfy { (9_000..<10_000).contains($0) })
    var leased = 10_000.0
    let isLeased = try holds {
      _ = try client.get("/api/gardens")
      leased = try tokens(server) ?? leased
      return leased < 10_000
    }
    #expect(isLeased)
    // No client asks: the loop changes the bucket when it gives its lease back.
    #expect(try holds(within: 60) { try tokens(server) ?? 0 > leased })
  }

  @Test("that are used up ask Redis a few times a second, however many requests come, and admit clients that waited")
  func refusals() throws {
    let server = try LiveServer(["RATE_LIMIT_ANONYMOUS": "4/2", "WORKERS": "1"])
    defer { server.stop() }
    let client = Client(server)
    let (before, begun) = (try scripts(server), Clock.monotonic())
    let replies = try (0..<400).map { _ in try client.get("/api/gardens") }
    let seconds = Double(Clock.monotonic() - begun) / 1e9
    let allowed = replies.filter { $0.status == 200 }.count
    #expect(allowed >= 4 && allowed <= 4 + Int(2 * seconds) + 1)
    #expect(try scripts(server) - before <= allowed + Int(6 * seconds) + 4)
    let refused = try #require(replies.first { $0.status == 429 })
    #expect(refused.header("retry-after") == "1")
    #expect(refused.header("ratelimit") == "\"anonymous\";r=0;t=1")
    #expect(try holds(within: 60) { try client.get("/api/gardens").status == 200 })
  }
}
