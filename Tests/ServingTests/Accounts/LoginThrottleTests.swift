import Glibc
import Reactor
import Testing
import Values

@Suite("The throttle of sign-ins", .blocking)
struct LoginThrottleTests {
  private static let wrong = "not this one, no"
  /// A server that waits long for Redis, also to connect: on a busy machine Redis answers late, and without it each
  /// loop would count failures by itself.
  private static let shared = Result {
    try LiveServer([
      "TRUSTED_PROXIES": "127.0.0.1", "REDIS_COMMAND_TIMEOUT_MILLISECONDS": "20000",
      "REDIS_CONNECT_TIMEOUT_MILLISECONDS": "20000",
    ])
  }
  private let server: LiveServer

  init() throws { server = try Self.shared.get() }

  /// A random IPv4 address, which no other test has.
  private static func address() -> String {
    (0..<3).reduce("10") { text, _ in "\(text).\(UInt8.random(in: 1...254))" }
  }

  private static func signIn(
    _ client: Client, _ id: Identifier, _ password: String = LiveServer.password, from address: String
  ) throws -> Reply {
    try client.post(
      "/api/sessions", #"{"email":"\#(id)@example.org","password":"\#(password)"}"#,
      headers: ["X-Forwarded-For: \(address)"])
  }

  private func fail(_ count: Int, _ id: Identifier, from address: String) throws -> [Int] {
    let client = Client(server)
    return try (0..<count).map { _ in try Self.signIn(client, id, Self.wrong, from: address).status }
  }

  @Test("does not count sign-ins that an outage of Postgres made fail")
  func outage() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    let login = #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#
    try server.losePostgres()
    for _ in 0..<60 { #expect(try client.post("/api/sessions", login).status == 503) }
    try server.regainPostgres()
    var status = 503
    for _ in 0..<2_000 where status == 503 {
      status = try client.post("/api/sessions", login).status
      if status == 503 { usleep(10_000) }
    }
    #expect(status == 201)
  }

  /// Expects that an answer refuses the right password until 15 minutes after the first failure, which came after
  /// `begun`.
  private func expectLocked(_ reply: Reply, since begun: UInt64) {
    #expect(reply.status == 429 && reply.problem == "too-many-failed-logins")
    let passed = Int((Clock.monotonic() - begun) / 1_000_000_000)
    let wait = Int(reply.header("retry-after") ?? "") ?? 0
    #expect((900 - passed - 2...900).contains(wait), "\(wait) s, \(passed) s after")
  }

  @Test("locks an account for the network that guesses, but not for its owner elsewhere")
  func networks() throws {
    let (client, id) = try server.signedIn()
    let (stranger, owner) = (Self.address(), Self.address())
    let begun = Clock.monotonic()
    #expect(try fail(10, id, from: stranger) == Array(repeating: 401, count: 10))
    expectLocked(try Self.signIn(client, id, from: stranger), since: begun)
    #expect(try Self.signIn(client, id, from: owner).status == 201)
  }

  @Test("locks a network out after fifty failures, whichever accounts they were for")
  func manyAccounts() throws {
    let (client, id) = try server.signedIn()
    let (stranger, owner) = (Self.address(), Self.address())
    let begun = Clock.monotonic()
    for count in [10, 10, 10, 10, 9] {
      #expect(try fail(count, server.signedIn().id, from: stranger).allSatisfy { $0 == 401 })
    }
    #expect(try Self.signIn(client, id, from: stranger).status == 201)
    #expect(try fail(1, id, from: stranger) == [401])
    expectLocked(try Self.signIn(client, id, from: stranger), since: begun)
    #expect(try Self.signIn(client, id, from: owner).status == 201)
  }

  @Test("locks an account for everyone after a hundred failures from any networks, and no other account")
  func manyNetworks() throws {
    let ((client, id), (_, other)) = (try server.signedIn(), try server.signedIn())
    let owner = Self.address()
    let begun = Clock.monotonic()
    for count in Array(repeating: 10, count: 9) + [9] {
      #expect(try fail(count, id, from: Self.address()).allSatisfy { $0 == 401 })
    }
    #expect(try Self.signIn(client, id, from: owner).status == 201)
    #expect(try fail(1, id, from: Self.address()) == [401])
    expectLocked(try Self.signIn(client, id, from: owner), since: begun)
    #expect(try Self.signIn(client, other, from: owner).status == 201)
  }

  @Test("counts an IPv6 /64 as one network")
  func neighbours() throws {
    let (client, id) = try server.signedIn()
    let prefix = "2001:db8:\(String(UInt16.random(in: 1...(.max)), radix: 16)):7"
    for index in 0..<10 { #expect(try fail(1, id, from: "\(prefix)::\(index)") == [401]) }
    #expect(try Self.signIn(client, id, from: "\(prefix):ffff::1").status == 429)
    #expect(try Self.signIn(client, id, from: "2001:db8:0:8::1").status == 201)
  }

  @Test("tells at most ten of thirty parallel guesses that they are wrong, and refuses the rest with 429 or 503")
  func parallel() throws {
    let (_, id) = try server.signedIn()
    let (server, address) = (server, Self.address())
    let statuses = try together(30) { _ in
      try Self.signIn(Client(server), id, Self.wrong, from: address).status
    }
    #expect((1...10).contains(statuses.filter { $0 == 401 }.count))
    #expect(statuses.allSatisfy { [401, 429, 503].contains($0) })
  }

  @Test("counts wrong current passwords, which a stolen token could be used to guess, but not right ones")
  func currentPassword() throws {
    let (client, id) = try server.signedIn()
    let from = ["X-Forwarded-For: \(Self.address())"]
    for index in 0..<9 {
      let reply =
        index % 2 == 0
        ? try client.delete("/api/users/me", #"{"password":"\#(Self.wrong)"}"#, headers: from)
        : try client.patch(
          "/api/users/me", #"{"password":"an entirely new one","currentPassword":"\#(Self.wrong)"}"#, headers: from)
      #expect(reply.status == 403)
    }
    let change = #"{"password":"\#(LiveServer.password)","currentPassword":"\#(LiveServer.password)"}"#
    for _ in 0..<2 { #expect(try client.patch("/api/users/me", change, headers: from).status == 200) }
    #expect(try client.delete("/api/users/me", #"{"password":"\#(Self.wrong)"}"#, headers: from).status == 403)
    let refused = try client.delete("/api/users/me", #"{"password":"\#(LiveServer.password)"}"#, headers: from)
    #expect(refused.status == 429 && refused.problem == "too-many-failed-logins")
    #expect(try Self.signIn(Client(server), id, from: Self.address()).status == 201)
  }

  @Test("counts on each loop while Redis is away")
  func withoutRedis() throws {
    let redis = try RedisGuest()
    let alone = try LiveServer(["REDIS_URL": redis.url, "WORKERS": "1"])
    defer { alone.stop() }
    try redis.turnAway()
    let (client, id) = try alone.signedIn()
    for _ in 0..<10 { #expect(try Self.signIn(client, id, Self.wrong, from: "").status == 401) }
    #expect(try Self.signIn(client, id, from: "").status == 429)
  }
}
