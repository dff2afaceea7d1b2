import Reactor
import Synchronization
import Testing

@Suite("Duties", .blocking)
struct DutiesTests {
  @Test("wait for a connection that another one has, and do not fail for want of it")
  func turns() throws {
    let before = try LiveServer()
    before.stop()
    let isLocked = Mutex(false)
    let holder = try SystemThread(name: "lock") {
      try? before.withDatabase { database in
        try await database.transaction { transaction in
          try await transaction.execute("LOCK TABLE erased_devices IN ACCESS EXCLUSIVE MODE")
          isLocked.withLock { $0 = true }
          // Longer than who wants a connection waits for one, from when the server has started.
          await database.loop.sleep(nanoseconds: 6_000_000_000)
        }
      }
    }
    #expect(holds(within: 20) { isLocked.withLock { $0 } })
    let server = try before.replica(["DATABASE_TRANSACTION_CONNECTIONS": "1", "WORKERS": "1"])
    defer { server.stop() }
    holder.join()
    let client = Client(server)
    func runs(_ result: String, of duty: String = "") throws -> Double {
      try client.get("/metrics").text.split(separator: "\n")
        .filter { $0.hasPrefix("housekeeping_runs_total{") && $0.contains("result=\"\(result)\"") && $0.contains(duty) }
        .reduce(0) { $0 + (Double($1.split(separator: " ").last ?? "") ?? 0) }
    }
    #expect(try holds(within: 20) { try runs("done", of: "\"readings.erased\"") > 0 })
    #expect(try runs("failed") == 0)
  }
}
