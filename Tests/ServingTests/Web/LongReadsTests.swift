import Faults
import Glibc
import Postgres
import Reactor
import Synchronization
import Testing
import Values

@testable import Web

@Suite("Long reads", .blocking)
struct LongReadsTests {
  /// A server with public gardens, and their owner.
  fileprivate struct Gardens: @unchecked Sendable {
    let server: LiveServer
    let owner: Client
    let ids: [String]

    init(_ count: Int, _ settings: [String: String] = [:]) throws {
      let usual = ["TRUSTED_PROXIES": "127.0.0.1", "DATABASE_STATEMENT_TIMEOUT_MILLISECONDS": "60000"]
      server = try LiveServer(usual.merging(settings) { $1 })
      owner = try server.signedIn().client
      let owner = owner
      ids = try (0..<count).map { _ in try owner.makeGarden(#"{"name":"Open","public":true}"#) }
    }

    /// Asks for the chart of a month, with an address of its own for each number `client`.
    func month(_ garden: String, client: Int) throws -> Reply {
      let headers = ["X-Forwarded-For: 198.51.\(client / 250).\(client % 250 + 1)"]
      return try Client(server).get("/gardens/\(garden)/data?range=month", headers: headers)
    }
  }

  @Test("by 50 clients that ask for months do not hold up reads by key, and are answered in the end or get 503")
  func lanes() throws {
    let gardens = try Gardens(50)
    defer { gardens.server.stop() }
    for id in gardens.ids { _ = try gardens.owner.makeDevice(in: id) }
    let statuses = Mutex<[Int]>([])
    var threads: [SystemThread] = []
    func joinAll() {
      for thread in threads { thread.join() }
      threads = []
    }
    defer { joinAll() }
    try gardens.server.whileLocked("readings_1h") {
      for (index, id) in gardens.ids.enumerated() {
        let thread = try SystemThread(name: "month-\(index)") {
          let status = (try? gardens.month(id, client: index).status) ?? 0
          statuses.withLock { $0.append(status) }
        }
        threads.append(thread)
      }
      // Each loop has a statement in flight, which waits for the table.
      #expect(try holds(within: 20) { try gardens.server.waiting(for: "readings_1h") >= 2 })
      for client in gardens.server.clients(8, token: gardens.owner.token) {
        #expect(try client.get("/api/users/me").status == 200)
      }
      #expect(try gardens.server.waiting(for: "readings_1h") >= 1)
    }
    joinAll()
    let found = statuses.withLock { $0 }
    #expect(found.count == 50)
    #expect(Set(found).isSubset(of: [200, 503]) && found.contains(200))
    #expect(try gardens.month(gardens.ids[0], client: 0).status == 200)
  }

  @Test("beyond a client's share get 503 while the others wait")
  func share() throws {
    let gardens = try Gardens(LongReads.maximumOfClient + 4)
    defer { gardens.server.stop() }
    for id in gardens.ids { _ = try gardens.owner.makeDevice(in: id) }
    let replies = Mutex<[Reply]>([])
    var threads: [SystemThread] = []
    func joinAll() {
      for thread in threads { thread.join() }
      threads = []
    }
    defer { joinAll() }
    try gardens.server.whileLocked("readings_1h") {
      for id in gardens.ids {
        let thread = try SystemThread(name: "month") {
          guard let reply = try? gardens.month(id, client: 1) else { return }
          replies.withLock { $0.append(reply) }
        }
        threads.append(thread)
      }
      // The requests beyond the client's share are answered while the others wait.
      #expect(holds(within: 20) { replies.withLock { $0.count } >= 4 })
      #expect(replies.withLock { $0.prefix(4).allSatisfy { $0.status == 503 && $0.header("retry-after") != nil } })
    }
    joinAll()
    #expect(try gardens.month(gardens.ids[0], client: 1).status == 200)
  }

  @Test("for files count until these end: beyond a client's share further files get 503, not charts or others' files")
  func files() throws {
    let gardens = try Gardens(1)
    defer { gardens.server.stop() }
    let id = gardens.ids[0]
    let made = try gardens.owner.makeDevice(in: id)
    let device = try #require(Identifier(made.id))
    try gardens.server.withDatabase { database in
      _ = try await database.execute(
        """
        INSERT INTO readings (device_id, sensor_type, measured_at, value)
        SELECT \(device), 'ph', date_trunc('day', now()) + n * interval '1 ms', 7 FROM generate_series(1, 100000) n
        """)
      _ = try await database.execute("UPDATE devices SET measured_types = '{ph}' WHERE id = \(device)")
    }
    // Asks for a file from the address of `month`, and reads no more than the head of the answer.
    func begin(client: Int) throws -> (wire: Wire, status: Substring) {
      let wire = try Wire(port: gardens.server.port, receiveBytes: 8_192)
      try wire.send(
        """
        GET /api/gardens/\(id)/readings?from=2020-01-01T00:00:00Z HTTP/1.1\r\nHost: test\r\nAccept: text/csv\r\n\
        X-Forwarded-For: 198.51.0.\(client + 1)\r\n\r\n
        """)
      let head = String(decoding: try wire.take(until: Array("\r\n\r\n".utf8)), as: UTF8.self)
      return (wire, head.dropFirst("HTTP/1.1 ".count).prefix(3))
    }
    var files = try (0..<LongReads.maximumOfClient).map { _ in try begin(client: 1) }
    #expect(files.allSatisfy { $0.status == "200" })
    #expect(try begin(client: 1).status == "503")
    #expect(try gardens.month(id, client: 1).status == 200)
    #expect(try begin(client: 2).status == "200")
    files = []
    #expect(try holds(within: 20) { try begin(client: 1).status == "200" })
  }

  @Test("wait for their connection, also while the first one of a loop is in use")
  func first() throws {
    let gardens = try Gardens(6, ["WORKERS": "1", "DATABASE_LONG_READERS": "2"])
    defer { gardens.server.stop() }
    for id in gardens.ids { _ = try gardens.owner.makeDevice(in: id) }
    let statuses = try together(6) { try gardens.month(gardens.ids[$0], client: $0).status }
    #expect(statuses == Array(repeating: 200, count: 6))
  }

  @Test("of a chart are made once for all who look at it, and forgotten when the garden is no longer public")
  func charts() throws {
    let gardens = try Gardens(1)
    defer { gardens.server.stop() }
    let id = gardens.ids[0]
    _ = try gardens.owner.makeDevice(in: id)
    let clients = gardens.server.clients(12)
    let target = "/gardens/\(id)/data?range=month"
    for client in clients { #expect(try client.get(target).status == 200) }
    // In all likelihood both loops have the chart by now, unless a new step has begun meanwhile.
    try gardens.server.whileLocked("readings_1h") {
      let statuses = try clients.map { try $0.get(target).status }
      #expect(Set(statuses) == [200])
    }
    #expect(try gardens.owner.patch("/api/gardens/\(id)", #"{"public":false}"#).status == 200)
    for client in clients { #expect(try client.get(target).status == 404) }
  }

  @Test("for shop searches and lists of orders do not hold up reads by key")
  func shops() throws {
    let server = try LiveServer(["DATABASE_STATEMENT_TIMEOUT_MILLISECONDS": "60000"])
    defer { server.stop() }
    let shop = try Shop(server)
    let targets = (1...4).flatMap {
      ["/api/businesses?q=farm+\($0)", "/api/orders?role=seller&limit=\($0)", "/api/orders?limit=\($0)"]
    }
    try expectApart(targets, by: shop.owner.token, whileLocked: ["business_words", "orders"], on: server, shop.owner)
  }

  @Test("for the gardens around a place do not hold up reads by key")
  func nearGardens() throws {
    let gardens = try Gardens(1)
    defer { gardens.server.stop() }
    let targets = (1...12).map { "/api/gardens?near=48.14,11.58&within=\($0)" }
    try expectApart(targets, whileLocked: ["gardens"], on: gardens.server, gardens.owner)
  }

  @Test("for the newest readings of gardens do not hold up reads by key")
  func newest() throws {
    let gardens = try Gardens(12)
    defer { gardens.server.stop() }
    for id in gardens.ids { _ = try gardens.owner.makeDevice(in: id) }
    let targets = gardens.ids.map { "/api/gardens/\($0)/latest" }
    try expectApart(targets, whileLocked: ["readings_late"], on: gardens.server, gardens.owner)
  }

  /// Expects that a user's reads by key are answered while reads of `targets` wait for locked tables, and these once
  /// they are free; with `token`, or by anybody.
  private func expectApart(
    _ targets: [String], by token: String? = nil, whileLocked tables: [String], on server: LiveServer, _ user: Client
  ) throws {
    let statuses = Mutex<[Int]>([])
    var threads: [SystemThread] = []
    func joinAll() {
      for thread in threads { thread.join() }
      threads = []
    }
    defer { joinAll() }
    func waiting() throws -> Int { try tables.reduce(0) { try $0 + server.waiting(for: $1) } }
    try server.whileLocked(tables.joined(separator: ", ")) {
      for target in targets {
        let thread = try SystemThread(name: "long read") {
          let status = (try? Client(server, token: token).get(target).status) ?? 0
          statuses.withLock { $0.append(status) }
        }
        threads.append(thread)
      }
      #expect(try holds(within: 20) { try waiting() >= 2 })
      for client in server.clients(8, token: user.token) { #expect(try client.get("/api/users/me").status == 200) }
      #expect(try waiting() >= 1)
    }
    joinAll()
    #expect(Set(statuses.withLock { $0 }).isSubset(of: [200, 503]))
    for target in targets { #expect(try Client(server, token: token).get(target).status == 200) }
  }

  @Test("are not aborted when only the health check is late, as it may be while the database is busy")
  func lateHealthCheck() throws {
    let url = try TestDatabase.make()
    let proxy = try Proxy(before: url, marks: ["terroir-health"])
    defer { proxy.become(.stop) }
    let server = try LiveServer([
      "DATABASE_URL": proxy.url(for: url), "WORKERS": "1", "DATABASE_STATEMENT_TIMEOUT_MILLISECONDS": "60000",
    ])
    defer { server.stop() }
    let client = Client(server)
    func isSaid(_ status: String) throws -> Bool {
      try client.get("/health").json["checks"]?["database"]?["status"]?.text == status
    }
    let found = Mutex(0)
    var search: SystemThread?
    defer { search?.join() }
    try server.whileLocked("business_words") {
      search = try SystemThread(name: "search") {
        let status = (try? Client(server).get("/api/businesses?q=carrots").status) ?? 0
        found.withLock { $0 = status }
      }
      #expect(try holds(within: 20) { try server.waiting(for: "business_words") == 1 })
      proxy.become(.freezeMarked)
      #expect(try holds(within: 20) { try isSaid("unhealthy") })
      // Longer than a suspected connection may take to answer.
      usleep(2_500_000)
      proxy.become(.forward)
      #expect(try holds(within: 20) { try isSaid("healthy") })
    }
    search?.join()
    search = nil
    #expect(found.withLock { $0 } == 200)
  }
}

extension LongReadsTests {
  @Test("get new connections after the database was found silent: idle ones may lead to a host that is gone")
  func idleConnections() throws {
    let url = try TestDatabase.make()
    // Texts in the statements of the health check and of a search, which only connections for long reads send.
    let proxy = try Proxy(before: url, marks: ["terroir-health", "business_words"])
    defer { proxy.become(.stop) }
    let gardens = try Gardens(
      1, ["DATABASE_URL": proxy.url(for: url), "WORKERS": "1", "DATABASE_LONG_READERS": "1"])
    defer { gardens.server.stop() }
    let client = Client(gardens.server)
    _ = try gardens.owner.makeDevice(in: gardens.ids[0])
    #expect(try client.get("/api/businesses?q=carrots").status == 200)
    proxy.become(.freezeMarked)
    #expect(
      try holds(within: 20) { try client.get("/health").json["checks"]?["database"]?["status"]?.text == "unhealthy" })
    // A read on the frozen connection would take the statement timeout, a minute.
    #expect(holds(within: 20) { (try? gardens.month(gardens.ids[0], client: 1).status) == 200 })
  }

  @Test("of a client whose reads take long let others pass")
  func passing() throws {
    let gardens = try Gardens(4, ["WORKERS": "1", "DATABASE_LONG_READERS": "1"])
    defer { gardens.server.stop() }
    let server = gardens.server
    for id in gardens.ids { _ = try gardens.owner.makeDevice(in: id) }
    let status = Mutex(0)
    var threads: [SystemThread] = []
    func joinAll() {
      for thread in threads { thread.join() }
      threads = []
    }
    defer { joinAll() }
    let idle = try server.requestsInProgress()
    let words = try server.holdTable("business_words")
    defer { words.release() }
    try server.whileLocked("readings_1h") {
      // One read of a client has the only connection, and four more of it wait.
      let search = try SystemThread(name: "search") {
        _ = try? Client(server).get("/api/businesses?q=farm", headers: ["X-Forwarded-For: 198.51.0.2"])
      }
      threads.append(search)
      #expect(try holds(within: 20) { try server.waiting(for: "business_words") == 1 })
      for id in gardens.ids {
        threads.append(try SystemThread(name: "month") { _ = try? gardens.month(id, client: 1) })
      }
      #expect(try holds(within: 20) { try server.requestsInProgress() >= idle + 5 })
      let other = try SystemThread(name: "other") {
        let target = "/api/gardens?near=48.14,11.58&within=10"
        let reply = try? Client(server).get(target, headers: ["X-Forwarded-For: 198.51.0.3"])
        status.withLock { $0 = reply?.status ?? -1 }
      }
      threads.append(other)
      #expect(try holds(within: 20) { try server.requestsInProgress() >= idle + 6 })
      words.release()
      // In the order of their coming it would wait for a chart, which waits for its table.
      #expect(holds(within: 20) { status.withLock { $0 } != 0 })
      #expect(status.withLock { $0 } == 200)
    }
    joinAll()
  }
}

extension LiveServer {
  /// The number of statements that wait for `table`.
  fileprivate func waiting(for table: String) throws -> Int {
    try withDatabase { database in
      let sql: SQL = "SELECT count(*) FROM pg_locks WHERE relation = \(table)::text::regclass AND NOT granted"
      return try await database.query(sql)[0].decode(Int.self, 0)
    }
  }

  /// Calls `body` while `tables` are locked, so that no statement that reads them ends.
  fileprivate func whileLocked(_ tables: String, _ body: () throws -> Void) throws {
    let hold = try holdTable(tables)
    defer { hold.release() }
    try body()
  }
}
