import Faults
import Glibc
import JSON
import Reactor
import Synchronization
import TestSupport
import Testing
import Values

@testable import HTTP
@testable import Insights

@Suite("The health report", .blocking)
struct HealthTests {
  @Test("asks the configured URLs, and is degraded while one of them does not answer or answers 5xx")
  func external() throws {
    let other = try LiveServer.shared.get()
    let closed = try LiveServer(["WORKERS": "1"])
    let gone = "http://127.0.0.1:\(closed.port)/livez"
    closed.stop()
    let alive = "http://127.0.0.1:\(other.port)/livez"
    let missing = "http://127.0.0.1:\(other.port)/there-is-no-such-page"
    let failing = try ModelServer()  // without a script it answers 500
    for (urls, reachable, status) in [
      ([alive, missing], 2, "healthy"), ([alive, gone], 1, "degraded"), ([gone], 0, "degraded"),
      ([alive, "http://127.0.0.1:\(failing.port)/"], 1, "degraded"),
    ] {
      let server = try other.replica(["HEALTH_EXTERNAL_URLS": urls.joined(separator: ","), "WORKERS": "1"])
      defer { server.stop() }
      let client = Client(server)
      #expect(try holds(within: 20) { try client.get("/health").json["checks"]?["external"] != nil })
      let report = try client.get("/health")
      let check = try #require(try report.json["checks"]?["external"])
      #expect(report.status == 200 && check["status"]?.text == status, "\(urls)")
      #expect(check["reachable"]?.number == Double(reachable) && check["configured"]?.number == Double(urls.count))
      #expect(try report.json["status"]?.text == status)
      // An external service that is away is no reason to send requests elsewhere.
      #expect(try client.get("/readyz").status == 200)
    }
  }

  @Test("asks the configured URLs also while as many questions to a slow language model are under way as there may be")
  func slowModels() throws {
    let (models, other, seconds) = (try ModelServer(), try ModelServer(), 8)
    models.script(Array(repeating: .slow(Double(seconds), ""), count: 100))
    let server = try LiveServer([
      "OPENAI_BASE_URL": "http://127.0.0.1:\(models.port)/v1", "OPENAI_API_KEY": "sk-test",
      "INSIGHTS_TIMEOUT_SECONDS": "\(seconds)", "HEALTH_EXTERNAL_URLS": "http://127.0.0.1:\(other.port)/",
      "HEALTH_INTERVAL_MILLISECONDS": "100", "DATABASE_TRANSACTION_CONNECTIONS": "16",
    ])
    defer { server.stop() }
    let growers = try (0..<17).map { _ in
      let (client, id) = try server.signedIn()
      let plot = try Plot(server, owner: id)
      try plot.record("soil_moisture", [(0, 12), (1, 13)])
      return (token: try #require(client.token), garden: plot.garden)
    }
    let body = #"{"type":"watering","provider":"openai"}"#
    let wires = try growers.flatMap { grower in
      try (0..<InsightFeature.maximumQuestionsOfUser).map { _ in
        let wire = try Wire(port: server.port)
        try wire.send(
          """
          POST /api/gardens/\(grower.garden)/insights HTTP/1.1\r\nHost: test\r\n\
          Authorization: Bearer \(grower.token)\r\nContent-Type: application/json\r\n\
          Content-Length: \(body.utf8.count)\r\n\r\n\(body)
          """)
        return wire
      }
    }
    #expect(server.log.line("too many outbound requests") != nil)
    let asked = other.received.count
    // One may have been sent before.
    #expect(holds(within: Double(seconds) / 2) { other.received.count > asked + 1 })
    withExtendedLifetime(wires) {}
  }

  @Test("shows changes of the stores without waiting for the next round or for a server that does not answer")
  func silentServer() throws {
    let silent = try ListeningSocket.open(host: "127.0.0.1", port: 0)
    defer { close(silent) }
    let turn: UInt64 = 60_000_000_000
    let start = Clock.monotonic()
    let server = try LiveServer([
      "HEALTH_EXTERNAL_URLS": "http://127.0.0.1:\(ListeningSocket.port(of: silent))/", "WORKERS": "1",
      "HEALTH_TIMEOUT_MILLISECONDS": String(turn / 1_000_000), "HEALTH_INTERVAL_MILLISECONDS": String(turn / 1_000_000),
    ])
    defer { server.stop() }
    let client = Client(server)
    try server.losePostgres()
    #expect(try holds(within: 50) { try client.get("/readyz").status == 503 })
    try server.regainPostgres()
    #expect(try holds(within: 50) { try client.get("/readyz").status == 200 })
    #expect(Clock.monotonic() - start < turn)
  }

  @Test("soon shows a frozen Postgres as unhealthy, and its return")
  func frozen() throws {
    let url = try TestDatabase.make()
    let proxy = try Proxy(before: url)
    defer { proxy.become(.stop) }
    let server = try LiveServer(["DATABASE_URL": proxy.url(for: url), "WORKERS": "1"])
    defer { server.stop() }
    let client = Client(server)
    func isSaid(_ status: String) throws -> Bool {
      try client.get("/health").json["checks"]?["database"]?["status"]?.text == status
    }
    #expect(try holds { try isSaid("healthy") })
    proxy.become(.freeze)
    #expect(try holds { try isSaid("unhealthy") })
    #expect(try client.get("/readyz").status == 503)
    proxy.become(.forward)
    #expect(try holds { try isSaid("healthy") })
  }

  @Test("that finds Postgres frozen makes searches fail too, long before their statements time out")
  func frozenSearches() throws {
    let url = try TestDatabase.make()
    let proxy = try Proxy(before: url)
    defer { proxy.become(.stop) }
    let patience: UInt64 = 60_000_000_000
    let server = try LiveServer([
      "DATABASE_URL": proxy.url(for: url), "WORKERS": "1",
      "DATABASE_STATEMENT_TIMEOUT_MILLISECONDS": String(patience / 1_000_000),
    ])
    defer { server.stop() }
    let client = Client(server)
    #expect(try client.get("/api/businesses?q=carrots").status == 200)
    proxy.become(.freeze)
    #expect(try holds { try client.get("/readyz").status == 503 })
    let start = Clock.monotonic()
    #expect(try client.get("/api/businesses?q=beans").status == 503)
    #expect(Clock.monotonic() - start < patience / 2)
    proxy.become(.forward)
  }

  @Test("that fails for another reason than silence does not abort statements, which may take long")
  func cutHealthCheck() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (client, _) = try server.signedIn()
    let isLocked = Mutex(false)
    let holder = try SystemThread(name: "lock") {
      try? server.withDatabase { database in
        try await database.transaction { transaction in
          try await transaction.execute("LOCK TABLE personal_tokens IN ACCESS EXCLUSIVE MODE")
          isLocked.withLock { $0 = true }
          await database.loop.sleep(nanoseconds: 300_000_000)
          _ = try await transaction.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'terroir-health' AND datname = current_database()
            """)
          await database.loop.sleep(nanoseconds: 2_200_000_000)
        }
      }
    }
    #expect(holds(within: 20) { isLocked.withLock { $0 } })
    #expect(try client.get("/api/tokens").status == 200)
    holder.join()
  }

  @Test("shows a Redis that has become a Cluster as unhealthy, and the log says why")
  func cluster() throws {
    let store = try PrivateServer()
    let nodes = "/tmp/terroir-cluster-\(store.port).conf"
    defer {
      store.kill()
      unlink(nodes)
    }
    let server = try LiveServer(["REDIS_URL": "redis://127.0.0.1:\(store.port)/0"])
    defer { server.stop() }
    store.kill()
    store.arguments = [
      "--cluster-enabled", "yes", "--cluster-config-file", nodes,
      "--cluster-port", String(try Loopback.freePort()),
    ]
    try store.start()
    let client = Client(server)
    #expect(try holds(within: 20) { try client.get("/readyz").json["status"]?.text == "degraded" })
    #expect(try holds(within: 20) { try client.get("/health").status == 503 })
    #expect(try client.get("/health").json["checks"]?["redis"]?["status"]?.text == "unhealthy")
    #expect(try client.get("/readyz").status == 200)
    #expect(
      holds(within: 20) {
        server.log.lines.contains {
          $0.contains("Redis cannot be used") && $0.contains("refused: this is a Redis Cluster")
        }
      })
  }

  @Test(
    "fails if Redis refuses anything but subscriptions, and the log says what it refuses",
    arguments: [
      ("-@scripting", 503, "Redis cannot be used"), ("resetchannels", 503, "Redis cannot be used"),
      ("-subscribe", 200, "Redis refuses subscriptions"),
    ])
  func rights(rule: String, status: Int, message: String) throws {
    let guest = try RedisGuest()
    let server = try LiveServer(["REDIS_URL": guest.url])
    defer { server.stop() }
    let client = Client(server)
    #expect(try holds(within: 20) { try client.get("/health").status == 200 })
    // After a longer outage, the client and the subscriber reconnect at different times.
    try guest.turnAway()
    #expect(holds(within: 20) { server.log.lines.contains { $0.contains("WRONGPASS") } })
    try guest.change(rule)
    try guest.letIn()
    #expect(holds(within: 20) { server.log.lines.contains { $0.contains(message) && $0.contains("NOPERM") } })
    #expect(try holds(within: 20) { try client.get("/health").status == status })
  }

  @Test("has no check of other servers unless some are configured")
  func none() throws {
    #expect(try Client(LiveServer.shared.get()).get("/health").json["checks"]?["external"] == nil)
  }

  @Test("shows the free share of the disk as df does, for which reserved blocks are neither used nor free")
  func disk() throws {
    let df = try #require(popen("df --block-size=1 --output=used,avail / | tail -n 1", "r"))
    defer { pclose(df) }
    var line = [CChar](repeating: 0, count: 128)
    #expect(fgets(&line, CInt(line.count), df) != nil)
    let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let bytes = text.split { !$0.isNumber }.compactMap { Double($0) }
    try #require(bytes.count == 2)
    let checks = try Client(LiveServer.shared.get()).get("/health").json["checks"]
    #expect(abs((checks?["disk"]?["freeRatio"]?.number ?? -1) - bytes[1] / (bytes[0] + bytes[1])) < 0.01)
  }

  @Test("is degraded by a disk that cannot be checked, and does not show it as full")
  func missingDisk() throws {
    let server = try LiveServer.shared.get().replica(["HEALTH_DISK_PATH": "/there/is/no/such/path", "WORKERS": "1"])
    defer { server.stop() }
    let disk = try Client(server).get("/health").json["checks"]?["disk"]
    #expect(disk?["status"]?.text == "degraded" && disk?["freeRatio"] == nil)
  }

  @Test("has three forms that say the same")
  func forms() throws {
    let client = Client(try LiveServer.shared.get())
    let byName = try client.get("/health").json
    let list = try client.get("/api/health").json
    let names = Set(list["checks"]?.elements?.compactMap { $0["name"]?.text } ?? [])
    #expect(names.isSuperset(of: ["database", "redis", "memory", "disk"]))
    for name in names { #expect(byName["checks"]?[name]?["status"] != nil, "\(name)") }
    for check in list["checks"]?.elements ?? [] {
      #expect(["healthy", "degraded", "unhealthy"].contains(check["status"]?.text ?? ""))
      #expect((check["latencyMs"]?.number ?? -1) >= 0 && (check["ageMs"]?.number ?? -1) >= 0)
    }
    #expect(byName["version"] == list["version"] && (byName["uptime"]?.number ?? 0) > 0)
    #expect(byName["timestamp"]?.text.flatMap { Timestamp($0) } != nil)

    let draft = try client.get("/health", headers: ["Accept: application/health+json"])
    #expect(draft.header("content-type") == "application/health+json")
    let words = ["healthy": "pass", "degraded": "warn", "unhealthy": "fail"]
    #expect(try draft.json["status"]?.text == words[byName["status"]?.text ?? ""])
    #expect(try draft.json["serviceId"]?.text == "terroir")
    for name in names {
      let times = try draft.json["checks"]?["\(name):responseTime"]?.elements
      #expect(times?.count == 1 && times?[0]["observedUnit"]?.text == "ms", "\(name)")
      #expect(words.values.contains(times?[0]["status"]?.text ?? ""))
    }
  }

  @Test(
    "comes in the form that a client prefers, and as JSON where it accepts neither",
    arguments: [
      ("application/health+json;q=0, */*", "application/json"),
      ("application/json, application/health+json;q=0.1", "application/json"),
      ("application/json;q=0.5, application/health+json", "application/health+json"),
      ("Application/Health+JSON", "application/health+json"), ("text/html", "application/json"),
      ("*/*", "application/json"), ("", "application/json"),
    ])
  func preferred(accept: String, type: String) throws {
    let client = Client(try LiveServer.shared.get())
    for path in ["/health", "/api/health"] {
      #expect(try client.get(path, headers: ["Accept: \(accept)"]).header("content-type") == type)
    }
  }
}
