import Postgres
import Reactor
import Synchronization
import Testing

/// Late readings of a server that takes longer to store a 14 than any request waits.
@Suite("Late readings that wait", .blocking)
struct SlowReadingsTests {
  /// A device whose sensor type is noted already, so that its readings are stored without a wait for that.
  private func device(_ server: LiveServer) throws -> TestDevice {
    let device = try TestDevice(server)
    #expect(try device.post(device.client, Sample.series(1)).status == 200)
    return device
  }

  /// The transaction that is storing a 14, by its backend and its start; nil if there is none.
  private func slowTransaction(_ server: LiveServer) throws -> String? {
    try server.withDatabase { database in
      try await database.query(
        """
        SELECT pid || ' ' || xact_start FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'
        """
      ).first?.decode(String.self, 0)
    }
  }

  private func waitForSlow(_ server: LiveServer) -> String? {
    var found: String?
    _ = try? holds {
      found = try slowTransaction(server)
      return found != nil
    }
    return found
  }

  @Test("are stored within ten seconds although another device's take too long, and after that without any wait")
  func slow() throws {
    let server = try LateReadingsTests.server(timeoutMilliseconds: 6_000)
    defer { server.stop() }
    let (slow, other) = (try device(server), try device(server))
    let refused = Mutex<[Int]>([])
    let stored = Mutex((status: 0, seconds: 0.0))
    try concurrently(9) { index in
      guard index == 8 else {
        let status = try? slow.post(slow.client, [LateReadingsTests.sample(index, 14)]).status
        return refused.withLock { $0.append(status ?? 0) }
      }
      _ = waitForSlow(server)
      let began = Clock.monotonic()
      let status = try? other.post(other.client, [LateReadingsTests.sample(0, 1)]).status
      stored.withLock { $0 = (status ?? 0, Double(Clock.monotonic() - began) / 1e9) }
    }
    #expect(refused.withLock { $0 } == Array(repeating: 503, count: 8))
    #expect(stored.withLock { $0.status == 200 && $0.seconds < 10 }, "\(stored.withLock { $0 })")
    let isUndisturbed = Mutex(false)
    try concurrently(2) { index in
      if index == 0 {
        _ = try? slow.post(slow.client, [LateReadingsTests.sample(9, 14)])
      } else if let transaction = waitForSlow(server) {
        let status = try? other.post(other.client, [LateReadingsTests.sample(1, 1)]).status
        let isStill = (try? slowTransaction(server)) == transaction
        isUndisturbed.withLock { $0 = status == 200 && isStill }
      }
    }
    #expect(isUndisturbed.withLock { $0 })
  }

  @Test("are refused together with those that are being stored when Postgres goes away")
  func away() throws {
    let server = try LateReadingsTests.server()
    defer { server.stop() }
    let (slow, waiting) = (try device(server), try device(server))
    let idle = try server.requestsInProgress()
    let lostAt = Mutex<UInt64>(0)
    let answers = Mutex<[(status: Int, at: UInt64)]>([])
    // More than two batches.
    let requests = 10
    try concurrently(requests + 2) { index in
      if index > 0 { _ = waitForSlow(server) }
      if index == requests + 1 {
        _ = try? holds { try server.requestsInProgress() >= idle + requests + 1 }
        lostAt.withLock { $0 = Clock.monotonic() }
        try? server.losePostgres()
        return
      }
      let samples =
        index == 0
        ? [LateReadingsTests.sample(0, 14)] : (0..<1_000).map { LateReadingsTests.sample(index * 1_000 + $0, 1) }
      let device = index == 0 ? slow : waiting
      let status = try? device.post(device.client, samples).status
      answers.withLock { $0.append((status ?? 0, Clock.monotonic())) }
    }
    #expect(answers.withLock { $0.map(\.status) } == Array(repeating: 503, count: requests + 1))
    let last = answers.withLock { $0.map(\.at).max() ?? .max }
    #expect(Double(last - lostAt.withLock { $0 }) / 1e9 < 5)
  }
}
