import Glibc
import Reactor
import Synchronization
import Telemetry
import Testing

@testable import Gardens

@Suite("Duties", .blocking)
struct DutiesTests {
  @Test("keep no server from serving that finds the partitions there, while another has the lock of making them")
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

  @Test("wait for a connection that another one has, and do not fail for want of it")
  func turns() throws {
    let before = try LiveServer()
    before.stop()
    let lock = Mutex((isHeld: false, mayEnd: false))
    let holder = try SystemThread(name: "lock") {
      try? before.withDatabase { database in
        try await database.transaction { transaction in
          try await transaction.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
          try await transaction.execute("LOCK TABLE erased_devices IN ACCESS EXCLUSIVE MODE")
          lock.withLock { $0.isHeld = true }
          while !lock.withLock({ $0.mayEnd }) { await database.loop.sleep(nanoseconds: 20_000_000) }
        }
      }
    }
    defer { lock.withLock { $0.mayEnd = true } }
    #expect(holds(within: 20) { lock.withLock { $0.isHeld } })
    let server = try before.replica(["DATABASE_TRANSACTION_CONNECTIONS": "1", "WORKERS": "1"])
    defer { server.stop() }
    // Twice as long as who wants a connection waits for one.
    usleep(2_000 * UInt32(server.configuration.pool.transactionWaitMilliseconds))
    lock.withLock { $0.mayEnd = true }
    holder.join()
    let client = Client(server)
    func runs(_ labels: String) throws -> [Double] {
      try client.get("/metrics").text.split(separator: "\n")
        .filter { $0.hasPrefix("housekeeping_runs_total{") && $0.contains(labels) }
        .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    }
    #expect(try holds(within: 20) { try runs(#"duty="readings.erased",result="done""#).first ?? 0 > 0 })
    let failures = try runs(#"result="failed""#)
    #expect(failures.count > 5 && failures.allSatisfy { $0 == 0 }, "\(failures)")
  }
}
