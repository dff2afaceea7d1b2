import Faults
import Glibc
import Reactor
import Redis
import TestSupport
import Testing

@Suite("When Redis is away")
struct RedisOutageTests {
  @Test("a command waits no longer than its deadline, and the next ones fail at once until Redis answers again")
  func deadline() throws {
    let server = try PrivateServer()
    var configuration = RedisConfiguration(address: server.address)
    configuration.commandDeadlineMilliseconds = 100
    try withClient(configuration) { client, loop in
      let started = Clock.monotonic()
      let outcomes = try await client.pipelineOutcomes([["DEBUG", "SLEEP", "2"], ["PING"], ["PING"]], on: loop)
      let waited = Clock.monotonic() - started
      // A command that was sent a moment after the first is not late itself, but fails behind a late one.
      let behind: [RedisError?] = [.timeout, .unavailable("no answer within 100 ms")]
      #expect(outcomes.first == .timeout && outcomes.allSatisfy(behind.contains), "\(outcomes)")
      // Not before its deadline, and long before Redis' answer.
      #expect((90_000_000...1_000_000_000).contains(waited), "\(waited) ns")
      let turn = loop.now
      #expect(await failure { try await client.send("PING") } == .unavailable("no answer within 100 ms"))
      #expect(loop.now == turn, "refused within the turn")
      #expect(await waitUntil(loop) { client.isConnected })
      #expect(try await client.send("PING") == .status("PONG"))
      #expect(client.counts.timeouts == outcomes.count { $0 == .timeout })
    }
  }

  @Test("a loop that was blocked does not take its own delay for Redis'")
  func heldUp() throws {
    var patient = try impatientConfiguration()
    // Longer than Redis itself needs on a busy machine, and shorter than the loop is blocked.
    patient.commandDeadlineMilliseconds = 400
    patient.probeIntervalMilliseconds = 400
    let configuration = patient
    try withClient(configuration) { client, loop in
      let subscriber = RedisSubscriber(loop: loop, configuration: configuration)
      defer { subscriber.close() }
      #expect(await waitUntil(loop) { subscriber.isListening })
      var gaps = 0
      subscriber.onGap = { gaps += 1 }
      for _ in 0..<3 {
        let before = Pending<RedisError?>()
        loop.spawn { before.complete(.success(await failure { try await client.send("PING") })) }
        usleep(999_000)
        let after = await failure { try await client.send("PING") }
        let outcome = try await before.value()
        #expect(outcome == nil)
        #expect(after == nil)
      }
      #expect(gaps == 0)
    }
  }

  private func impatientConfiguration() throws -> RedisConfiguration {
    var configuration = RedisConfiguration(address: try testAddress())
    configuration.commandDeadlineMilliseconds = 100
    configuration.probeIntervalMilliseconds = 100
    return configuration
  }

  @Test("a command sent after a late one fails as unavailable, long before its own deadline")
  func behindTheLate() throws {
    let server = try PrivateServer()
    var configuration = RedisConfiguration(address: server.address)
    configuration.commandDeadlineMilliseconds = 2_000
    try withClient(configuration) { client, loop in
      let first = Pending<RedisError?>()
      loop.spawn { first.complete(.success(await failure { try await client.send("DEBUG", "SLEEP", "5") })) }
      // Sent so much later that its own deadline is far off when that of the first passes.
      await loop.sleep(nanoseconds: 500_000_000)
      let second = await failure { try await client.send("PING") }
      let late = try await first.value()
      #expect(late == .timeout)
      #expect(second == .unavailable("no answer within 2000 ms"))
    }
  }

  @Test("a frozen server blocks nothing, and service resumes when it returns")
  func frozen() throws {
    let server = try PrivateServer()
    var configuration = RedisConfiguration(address: server.address)
    configuration.commandDeadlineMilliseconds = 100
    try withClient(configuration) { client, loop in
      server.freeze()
      #expect(await failure { try await client.get("key") } == .timeout)
      for _ in 0..<20 {
        let turn = loop.now
        #expect(await failure { try await client.get("key") } != nil)
        #expect(loop.now == turn, "refused within the turn")
        // Long enough for several attempts to connect, none of which may succeed or make a command wait.
        await loop.sleep(nanoseconds: 100_000_000)
      }
      #expect(!client.isConnected)
      server.thaw()
      #expect(await waitUntil(loop) { client.isConnected })
      try await client.send("PING")
    }
  }

  @Test("a killed server's commands fail at once, and service resumes when it returns")
  func killed() throws {
    let server = try PrivateServer()
    var patient = RedisConfiguration(address: server.address)
    patient.commandDeadlineMilliseconds = 60_000
    let configuration = patient
    try withClient(configuration) { client, loop in
      var states: [Bool] = []
      client.onStateChange = { states.append($0) }
      let blocked = Pending<RedisError?>()
      loop.spawn { blocked.complete(.success(await failure { try await client.send("BLPOP", "none", 0) })) }
      #expect(await waitForBlockedClient(configuration, on: loop))
      server.kill()
      guard case .unavailable = try await blocked.value() else { throw TestFailure("BLPOP was answered") }
      #expect(!client.isConnected)
      #expect(await waitUntil(loop) { client.lastFailure == "Connection refused" })
      let refusal = await failure { try await client.get("key") }
      #expect(refusal == .unavailable("Connection refused"))
      try server.start()
      #expect(await waitUntil(loop) { client.isConnected })
      #expect(try await client.send("PING") == .status("PONG"))
      #expect(states == [false, true])
      #expect(client.counts.connections == 2)
    }
  }

  @Test("a client that never connected refuses commands, reports the reason, and connects when it can")
  func neverThere() throws {
    let server = try PrivateServer()
    server.kill()
    try onLoop { loop in
      let client = RedisClient(loop: loop, configuration: RedisConfiguration(address: server.address))
      defer { client.close() }
      var reasons: [String] = []
      client.onFailure = { reasons.append($0) }
      #expect(await failure { try await client.get("key") } == .unavailable("not connected yet"))
      #expect(await client.waitUntilConnected(milliseconds: 300) == false)
      #expect(reasons == ["Connection refused"])
      try server.start()
      #expect(await client.waitUntilConnected(milliseconds: 60_000))
    }
  }

  @Test("a host name is resolved, and one without an address is reported as the reason")
  func names() throws {
    let server = try PrivateServer()
    let named = RedisAddress(endpoint: .tcp(host: "localhost", port: server.port))
    try withClient(RedisConfiguration(address: named)) { client, _ in
      _ = try await client.send("PING")
    }
    let unknown = RedisAddress(endpoint: .tcp(host: "no-such-host.invalid", port: 6379))
    try onLoop { loop in
      let client = RedisClient(loop: loop, configuration: RedisConfiguration(address: unknown))
      defer { client.close() }
      let failed = await waitUntil(loop) {
        client.lastFailure?.hasPrefix("host no-such-host.invalid: ") == true
      }
      #expect(failed)
    }
  }

  @Test("a socket path works, with credentials and a database")
  func unixSocket() throws {
    let path = "/tmp/terroir-redis-test-\(getpid()).sock"
    let server = try PrivateServer(["--unixsocket", path, "--requirepass", "pw"])
    let address = try RedisAddress(url: "unix://:pw@\(path)?db=3")
    try withClient(RedisConfiguration(address: address)) { client, _ in
      let info = try await client.send("CLIENT", "INFO").text ?? ""
      #expect(info.contains(" db=3 "))
    }
    server.kill()
    unlink(path)
  }

  @Test(
    "a wrong or missing password is reported as such, and never shown",
    arguments: [nil, "hunter2", "ann:hunter2"] as [String?])
  func wrongPassword(credentials: String?) throws {
    let server = try PrivateServer(["--requirepass", "right"])
    let signIn = credentials.map { ($0.contains(":") ? $0 : ":" + $0) + "@" } ?? ""
    let address = try RedisAddress(url: "redis://\(signIn)127.0.0.1:\(server.port)")
    let reason = try onLoop { loop in
      let client = RedisClient(loop: loop, configuration: RedisConfiguration(address: address))
      defer { client.close() }
      _ = await waitUntil(loop) { client.lastFailure?.hasPrefix("refused") ?? false }
      #expect(!client.isConnected && client.refusesThisServer)
      return client.lastFailure ?? ""
    }
    #expect(reason.hasPrefix(credentials == nil ? "refused: NOAUTH" : "refused: WRONGPASS"), "\(reason)")
    #expect(!reason.contains("hunter2"))
  }

  @Test("a server at its limit of clients is reported as such, not as refusing this client for good")
  func noRoom() throws {
    let server = try PrivateServer(["--maxclients", "1"])
    try withClient(RedisConfiguration(address: server.address)) { _, loop in
      let second = RedisClient(loop: loop, configuration: RedisConfiguration(address: server.address))
      defer { second.close() }
      #expect(
        await waitUntil(loop) {
          second.lastFailure?.contains("max number of clients reached") ?? false
        })
      #expect(!second.isConnected && !second.refusesThisServer)
    }
  }

  @Test(
    "a server that speaks another protocol, or hangs up, is a failed attempt and nothing worse",
    arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "", "+", "$-9\r\n", "*99999999999\r\n", "+PONG\r\n!"])
  func otherProtocols(greeting: String) throws {
    let server = try StrangeServer(greeting: Array(greeting.utf8))
    try onLoop { loop in
      var configuration = RedisConfiguration(address: server.address)
      configuration.connectDeadlineMilliseconds = 100
      let client = RedisClient(loop: loop, configuration: configuration)
      defer { client.close() }
      #expect(await waitUntil(loop) { server.connections >= 3 })
      #expect(!client.isConnected)
    }
    server.stop()
  }

  @Test(
    "a server that refuses writes counts as away until it accepts them",
    arguments: [
      (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
      (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
      (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
    ])
  func refusing(_ fault: [String], _ cure: [String]) throws {
    let server = try PrivateServer()
    var configuration = RedisConfiguration(address: server.address)
    let administrator = configuration
    configuration.trialKey = "trial"
    try withClient(configuration) { client, loop in
      let other = RedisClient(loop: loop, configuration: administrator)
      defer { other.close() }
      #expect(await other.waitUntilConnected(milliseconds: 60_000))
      try await other.send(fault.map(RedisArgument.text))
      guard case .server = await failure({ try await client.send("SET", "key", "value") }) else {
        throw TestFailure("the write was not refused")
      }
      #expect(await waitUntil(loop) { !client.isConnected })
      // The client's new connections are refused as well.
      #expect(await waitUntil(loop) { client.lastFailure?.hasPrefix("refused: ") == true })
      #expect(!client.isConnected)
      try await other.send(cure.map(RedisArgument.text))
      #expect(await waitUntil(loop) { client.isConnected })
      #expect(try await client.send("SET", "key", "value") == .status("OK"))
    }
  }

  /// The configuration of a client that tries out what it needs.
  private static func trying(_ address: RedisAddress) -> RedisConfiguration {
    var configuration = RedisConfiguration(address: address)
    configuration.trialKey = "trial"
    return configuration
  }

  @Test(
    "a server is not used while its user lacks a permission, and the reason names what is forbidden",
    arguments: [(["-@scripting"], "eval"), (["-evalsha"], "evalsha"), (["resetchannels"], "channel")])
  func forbidding(_ rules: [String], _ named: String) throws {
    let server = try PrivateServer()
    let configuration = Self.trying(
      RedisAddress(endpoint: server.address.endpoint, user: "limited", password: "secret"))
    try withClient(RedisConfiguration(address: server.address)) { other, loop in
      let user: [RedisArgument] = ["ACL", "SETUSER", "limited"]
      try await other.send(user + ["on", ">secret", "~*", "&*", "+@all"] + rules.map(RedisArgument.text))
      let client = RedisClient(loop: loop, configuration: configuration)
      defer { client.close() }
      #expect(await waitUntil(loop) { client.lastFailure?.hasPrefix("refused: NOPERM ") == true })
      #expect(client.lastFailure?.contains(named) == true)
      #expect(client.refusesThisServer && !client.isConnected)
      try await other.send(user + ["&*", "+@all"])
      #expect(await waitUntil(loop) { client.isConnected })
      #expect(client.lastFailure == nil)
    }
  }

  @Test("a server without scripts is not used")
  func scriptless() throws {
    let server = try PrivateServer(["--rename-command", "EVAL", "NONE"])
    let configuration = Self.trying(server.address)
    try onLoop { loop in
      let client = RedisClient(loop: loop, configuration: configuration)
      defer { client.close() }
      #expect(await waitUntil(loop) { client.lastFailure?.hasPrefix("refused: ERR unknown command") == true })
      #expect(client.refusesThisServer)
    }
  }

  @Test("a Redis Cluster is refused and named as such, even while it does not serve yet")
  func cluster() throws {
    let nodes = "/tmp/terroir-redis-cluster-\(getpid()).conf"
    defer { unlink(nodes) }
    // The bus would take the port that is higher by 10 000, which some connection may have.
    let bus = String(try Loopback.freePort())
    let server = try PrivateServer(
      ["--cluster-enabled", "yes", "--cluster-config-file", nodes, "--cluster-port", bus])
    try onLoop { loop in
      let client = RedisClient(loop: loop, configuration: RedisConfiguration(address: server.address))
      defer { client.close() }
      #expect(
        await waitUntil(loop) {
          client.lastFailure?.hasPrefix("refused: this is a Redis Cluster") == true
        })
      #expect(!client.isConnected)
    }
    server.kill()
  }

  @Test("a server that forbids HELLO is not taken for a Cluster")
  func unasked() throws {
    let server = try PrivateServer()
    try withClient(RedisConfiguration(address: server.address)) { client, _ in
      let reply = try await client.send("ACL", "SETUSER", "ann", "on", ">pw", "~*", "+@all", "-hello")
      #expect(reply == .status("OK"))
    }
    let address = try RedisAddress(url: "redis://ann:pw@127.0.0.1:\(server.port)")
    try withClient(RedisConfiguration(address: address)) { client, _ in
      let reply = try await client.send("PING")
      #expect(reply == .status("PONG"))
    }
  }

  @Test("closing fails what is in flight and everything after")
  func closing() throws {
    try withClient { client, loop in
      let blocked = Pending<RedisError?>()
      loop.spawn { blocked.complete(.success(await failure { try await client.send("BLPOP", "none", 0) })) }
      client.close()
      let outcome = try await blocked.value()
      #expect(outcome == .unavailable("closed"))
      #expect(await failure { try await client.send("PING") } != nil)
      client.close()
    }
  }
}

extension RedisClient {
  /// Sends each command from a task of its own, all in this turn, and returns the error of each.
  fileprivate func pipelineOutcomes(_ commands: [[RedisArgument]], on loop: EventLoop) async throws -> [RedisError?] {
    let outcomes = commands.map { command in
      let outcome = Pending<RedisError?>()
      loop.spawn { outcome.complete(.success(await failure { try await self.send(command) })) }
      return outcome
    }
    var errors: [RedisError?] = []
    for outcome in outcomes { errors.append(try await outcome.value()) }
    return errors
  }
}
