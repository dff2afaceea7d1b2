import Glibc
import Reactor
import Telemetry
import Testing

@testable import Gardens

@Suite("Duties", .blocking)
struct DutiesTests {
  /// All duties of a server on which everything is switched on.
  private static let all: Set = [
    "channels.reseal", "devices", "insights", "orders.unpaid", "password-resets", "readings.erased",
    "readings.partitions.drop", "readings.partitions.make", "readings.rollup", "readings.seal", "status",
    "expiry.buckets", "expiry.channelRequests", "expiry.deliveries", "expiry.eventTickets", "expiry.idempotencyKeys",
    "expiry.insights", "expiry.invitations", "expiry.lateReadings", "expiry.passwordResets", "expiry.refreshTokens",
    "expiry.rollupRefused", "expiry.sealedReadings", "expiry.sessions", "expiry.status", "expiry.tokens",
  ]

  @Test("are exactly those of the features, with all expiries, and each of them runs")
  func complete() throws {
    let settings = [
      "INSIGHTS_INTERVAL_SECONDS": "1", "JWT_SECRET_PREVIOUS": "the-one-before-0123456789-ABCDEF-0123456789",
    ]
    let server = try LiveServer(settings.merging(MailServer.settings(port: 1)) { $1 })
    defer { server.stop() }
    let client = Client(server)
    /// The duties of which the metrics have more than `count` runs with `result`.
    func duties(_ result: String, above count: Int) throws -> Set<String> {
      let series = /housekeeping_runs_total\{duty="([^"]+)",result="([^"]+)"\} (\d+)/
      let runs = try client.get("/metrics").text.matches(of: series)
      return Set(runs.filter { $0.2 == result && Int($0.3) ?? 0 > count }.map { String($0.1) })
    }
    let there = try duties("done", above: -1)
    #expect(there == Self.all)
    // That duty first waits an hour, until no server is left that knows only the earlier secret.
    let soon = Self.all.subtracting(["channels.reseal"])
    var missing = soon
    _ = try holds {
      missing = soon.subtracting(try duties("done", above: 0))
      return missing.isEmpty
    }
    #expect(missing == [])
  }

  @Test("do not keep a server from serving while another has the lock for making partitions that exist already")
  func start() throws {
    let before = try LiveServer()
    before.stop()
    let logger = Logger(LogSink(style: before.configuration.logStyle))
    let duty = ReadingPartitions(retention: Retention(days: 30), logger: logger).making
    try before.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        try await duty.lock(in: transaction)
        // Throws unless it serves within two minutes.
        try before.replica(["WORKERS": "1"]).stop()
      }
    }
  }

  @Test("that are running when the server stops are finished, and what they change is announced by Postgres too")
  func end() throws {
    let before = try LiveServer()
    let shop = try Shop(before)
    let order = try before.signedIn().client.order(shop.id, [(try shop.offer(stock: 5), 2)])
    #expect(order.status == 201)
    before.stop()
    try before.withDatabase { try await $0.execute("UPDATE orders SET expires_at = now()") }
    let lock = try before.hold("SELECT FROM products FOR UPDATE")
    defer { lock.release() }
    let server = try before.replica(["WORKERS": "1"])
    // The transaction that ends the order waits for the product, to give back what was taken of its stock.
    #expect(
      try holds {
        try before.withDatabase { database in
          try await !database.query("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'").isEmpty
        }
      })
    let stopping = try SystemThread(name: "stopping") { server.stop() }
    #expect(holds { (try? Wire(port: server.port)) == nil })
    let mark = try before.withDatabase { try await $0.commitMark() }
    lock.release()
    stopping.join()
    #expect(try before.withDatabase { try await $0.commitMark() } != mark)
    let ended = try before.withDatabase { try await $0.query("SELECT FROM orders WHERE status = 'cancelled'").count }
    #expect(ended == 1)
  }

  @Test("that wait for their turn when the server stops are not begun")
  func waiting() throws {
    let before = try LiveServer()
    before.stop()
    try before.withDatabase { _ = try await $0.execute("DELETE FROM status_spans") }
    let lock = try before.holdTable("erased_devices")
    defer { lock.release() }
    let server = try before.replica(["DATABASE_TRANSACTION_CONNECTIONS": "1", "WORKERS": "1"])
    // One duty waits for the table, and others, among them the last, for their turn.
    #expect(
      try holds {
        try before.withDatabase { database in
          try await !database.query(
            """
            SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
            WHERE datname = current_database() AND relation = 'erased_devices'::regclass AND NOT granted
            """
          ).isEmpty
        }
      })
    let stopping = try SystemThread(name: "stopping") { server.stop() }
    #expect(holds { (try? Wire(port: server.port)) == nil })
    lock.release()
    stopping.join()
    #expect(try before.withDatabase { try await $0.query("SELECT FROM status_spans").count } == 0)
  }

  @Test("wait for a connection that another one has, and do not fail meanwhile")
  func turns() throws {
    let before = try LiveServer()
    before.stop()
    let lock = try before.holdTable("erased_devices")
    defer { lock.release() }
    let server = try before.replica(["DATABASE_TRANSACTION_CONNECTIONS": "1", "WORKERS": "1"])
    defer { server.stop() }
    // Twice as long as a transaction may wait for a connection.
    usleep(2_000 * UInt32(server.configuration.pool.transactionWaitMilliseconds))
    lock.release()
    #expect(
      try holds(within: 20) { try server.metric(#"housekeeping_runs_total{duty="readings.erased",result="done"}"#) > 0 }
    )
    let failures = try Client(server).get("/metrics").text.split(separator: "\n").filter {
      $0.hasPrefix("housekeeping_runs_total{") && $0.contains(#"result="failed""#)
    }
    #expect(failures.count > 5 && failures.allSatisfy { $0.hasSuffix(" 0") }, "\(failures)")
  }
}
