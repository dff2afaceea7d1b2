import JSON
import Postgres
import Reactor
import Telemetry
import Testing
import Values

@testable import Accounts
@testable import Gardens
@testable import Settings
@testable import Web

@Suite("Partitions", .blocking)
struct PartitionsTests {
  private static func partitions(_ server: LiveServer) throws -> [String] {
    try server.withDatabase { database in
      let rows = try await database.query(
        """
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'readings'::regclass ORDER BY 1
        """)
      return try rows.map { try $0.decode(String.self, 0) }
    }
  }

  @Test("exist for every day whose readings come in time, before the server is ready")
  func partitions() throws {
    let found = try Self.partitions(LiveServer.shared.get())
    let now = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
    let partitions = try Self.partitions(rawDays: 30)
    // A day may have begun since this server has started.
    let tables = [now, now.advanced(byHours: -1)].map { partitions.days(at: $0).map(ReadingPartitions.table(of:)) }
    #expect(tables.allSatisfy { $0.count == 9 })
    // Other tests of this server make partitions of earlier days.
    #expect(tables.contains { found.suffix($0.count) == $0[...] })
  }

  /// Partitions as a server sees them whose clock is `aheadMilliseconds` ahead of the database's.
  private static func partitions(rawDays: Int, aheadMilliseconds: Int64 = 0) throws -> ReadingPartitions {
    let logger = Logger(LogSink(style: try LiveServer.shared.get().configuration.logStyle))
    let retention = Retention(days: rawDays) {
      Timestamp(unixMilliseconds: Clock.unixMilliseconds() + aheadMilliseconds)
    }
    return ReadingPartitions(retention: retention, logger: logger)
  }

  @Test("past their retention are dropped oldest first, two in a run, and no other table is")
  func droppedPartitions() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let today = CivilDate(Timestamp(unixMilliseconds: Clock.unixMilliseconds()))
    let past = (29...31).map { today.advanced(byDays: -$0) }
    let before = try Self.partitions(server)
    let dropped = try server.withDatabase { database in
      try await database.execute(
        "CREATE TABLE readings_archive PARTITION OF readings FOR VALUES FROM ('1999-01-01') TO ('2000-01-01')")
      let partitions = try Self.partitions(rawDays: 27)
      return try await database.transaction { transaction in
        try await partitions.make(past, transaction)
        return try await [partitions.drop(transaction), partitions.drop(transaction), partitions.drop(transaction)]
      }
    }
    let counts = dropped.map(\.count)
    #expect(counts == [2, 1, 0])
    #expect(dropped.flatMap { $0 } == past.reversed())
    #expect(try Self.partitions(server) == before + ["readings_archive"])
  }

  @Test("are not dropped while two clocks differ by more than a minute", arguments: [-61_000, 61_000, 40 * 86_400_000])
  func wrongClock(aheadMilliseconds: Int64) throws {
    let server = try LiveServer.shared.get()
    let before = try Self.partitions(server)
    try server.withDatabase { database in
      let partitions = try Self.partitions(rawDays: 1, aheadMilliseconds: aheadMilliseconds)
      await #expect(throws: Retention.ClocksDiffer.self) {
        try await database.transaction { try await partitions.drop($0) }
      }
    }
    #expect(try Self.partitions(server) == before)
  }

  @Test("are made for readings whose day has none")
  func missingPartition() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let before = try Self.partitions(server)
    let yesterday = Clock.unixMilliseconds() - 86_400_000
    let table = ReadingPartitions.table(of: CivilDate(Timestamp(unixMilliseconds: yesterday)))
    // As a replica with a wrong clock would have left it.
    try server.withDatabase { try await $0.execute("DROP TABLE \(unescaped: table)") }
    let device = try TestDevice(server)
    let samples = [0, 1].map { Sample(value: 1, at: Timestamp(unixMilliseconds: yesterday + $0)) }
    #expect(try device.post(device.client, samples).receipt == [2, 0])
    #expect(try device.post(device.client, samples).receipt == [0, 2])
    #expect(try Self.partitions(server) == before)
  }
}
