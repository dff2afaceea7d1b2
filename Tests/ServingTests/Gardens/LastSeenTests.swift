import Postgres
import Testing
import Values

@Suite("When a device was last heard of", .blocking)
struct LastSeenTests {
  private func isSeen(_ device: TestDevice) throws -> Bool {
    let id = device.id
    return try device.server.withDatabase { database in
      try await database.query("SELECT last_seen_at IS NOT NULL FROM devices WHERE id = \(id)")[0].decode(Bool.self, 0)
    }
  }

  @Test("is stored although the server stops right after")
  func end() throws {
    let server = try LiveServer()
    let device = try TestDevice(server)
    #expect(try device.post(device.client, Sample.series(1)).status == 200)
    server.stop()
    #expect(try isSeen(device))
  }

  @Test("is written later if Postgres cannot write it now")
  func again() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let device = try TestDevice(server)
    let id = device.id
    #expect(try device.post(device.client, Sample.series(1)).status == 200)
    #expect(try holds { try isSeen(device) })
    try server.withDatabase { database in
      try await database.execute("UPDATE devices SET last_seen_at = NULL WHERE id = \(id)")
      try await database.transaction { transaction in
        try await transaction.execute("LOCK TABLE devices IN EXCLUSIVE MODE")
        #expect(try device.post(device.client, Sample.series(1)).status == 200)
        // Until the first attempt has waited and has ended.
        for isWaiting in [true, false] {
          while try await database.query(Self.waiting)[0].decode(Bool.self, 0) != isWaiting {
            await database.loop.sleep(nanoseconds: 5_000_000)
          }
        }
      }
    }
    #expect(try holds { try isSeen(device) })
  }

  @Test("is replaced if the stored time lies in the future, as it does after a clock was ahead")
  func clockAhead() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let device = try TestDevice(server)
    let id = device.id
    try server.withDatabase { database in
      // The watch does not look at it meanwhile.
      try await database.execute(
        """
        UPDATE devices SET last_seen_at = now() + interval '2 days', silence_due_at = now() + interval '10 minutes'
        WHERE id = \(id)
        """)
    }
    #expect(try device.post(device.client, Sample.series(1)).status == 200)
    #expect(
      try holds {
        try server.withDatabase { database in
          try await database.query("SELECT last_seen_at <= now() FROM devices WHERE id = \(id)")[0]
            .decode(Bool.self, 0)
        }
      })
  }

  private static let waiting = Statement(
    "test.waiting",
    """
    SELECT EXISTS (
      SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'relation' AND query LIKE '%SET last_seen_at = seen.at%')
    """)
}
