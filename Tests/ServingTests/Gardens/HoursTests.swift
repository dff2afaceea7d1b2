import Glibc
import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Gardens

@Suite("Hours and days", .blocking)
struct HoursTests {
  /// An hour of some days ago, and the device whose readings of it are tested.
  private struct Hour {
    let device: TestDevice
    let start: Timestamp

    init(daysAgo days: Int64) throws {
      device = try TestDevice(LiveServer.shared.get())
      let hour: Int64 = 3_600_000
      start = Timestamp(unixMilliseconds: (Clock.unixMilliseconds().floorDivided(by: hour) - days * 24) * hour)
    }

    func post(_ values: [(second: Int64, value: Double)]) throws {
      let samples = values.map {
        Sample(type: "rain", value: $0.value, at: start.advanced(byMilliseconds: $0.second * 1_000))
      }
      #expect(try device.post(device.client, samples).receipt == [Int64(samples.count), 0])
    }

    /// Minimum, maximum, mean and count, as a client sees them.
    func bucket() throws -> [Double?] {
      let span = "from=\(start)&to=\(start.advanced(byMilliseconds: 3_600_000))"
      let hour = try device.client.get("\(device.path)?resolution=1h&\(span)").json["items"]?.elements?.first
      return ["min", "max", "mean", "count"].map { hour?[$0]?.number }
    }
  }

  @Test(
    "keep what an hour has counted, though its readings are not stored, when another reading of it comes",
    arguments: [2, 10])
  func imported(daysAgo: Int64) throws {
    let hour = try Hour(daysAgo: daysAgo)
    let (id, start) = (hour.device.id, hour.start)
    try LiveServer.shared.get().withDatabase {
      try await $0.execute("INSERT INTO readings_1h VALUES (\(id), 'rain', \(start), 5, 15, 600, 60)")
    }
    try hour.post([(420, 20)])
    #expect(try holds { try hour.bucket()[1] == 20 })
    #expect(try hour.bucket() == [5, 20, 10, 60])
    // Once more readings are stored than the hour had counted, the hour is made of them.
    try hour.post((1...60).map { ($0, 1) })
    #expect(try holds { try hour.bucket()[3] == 61 })
    #expect(try hour.bucket() == [1, 20, 80 / 61, 61])
  }

  @Test("count all readings of an hour whose five-minute buckets have expired, when one comes late")
  func ended() throws {
    let hour = try Hour(daysAgo: 10)
    let id = hour.device.id
    try hour.post((0..<12).map { ($0 * 300, Double($0)) })
    #expect(try holds { try hour.bucket()[3] == 12 })
    try LiveServer.shared.get().withDatabase { try await $0.execute("DELETE FROM readings_5m WHERE device_id = \(id)") }
    try hour.post([(420, 6)])
    #expect(try holds { try hour.bucket()[3] == 13 })
    #expect(try hour.bucket() == [0, 11, 72 / 13, 13])
  }

  @Test(
    "count the hours of all parallel writers in their day, whether the day existed before or not",
    arguments: [true, false])
  func hoursAtOnce(isThere: Bool) throws {
    let server = try LiveServer.shared.get()
    let device = try TestDevice(server).id
    // Writes as a rollup and the import of a history do to the same day, the second before the first has ended.
    @Sendable func write(_ hour: Int, _ transaction: Transaction) async throws {
      try await transaction.execute(
        """
        INSERT INTO readings_1h VALUES
          (\(device), 'ph', timestamptz '2020-05-01 00:00:00Z' + \(hour) * interval '1 hour', \(hour), \(hour), \(hour), 1)
        """)
    }
    if isThere { try server.withDatabase { try await $0.transaction { try await write(0, $0) } } }
    let (isWaitedFor, other) = try server.withDatabase { database in
      try await database.transaction { transaction in
        try await write(1, transaction)
        let other = try SystemThread(name: "hours") {
          try? server.withDatabase { try await $0.transaction { try await write(2, $0) } }
        }
        return (try await Self.isWaitedFor(transaction), other)
      }
    }
    other.join()
    #expect(isWaitedFor)
    let day = try server.withDatabase { database in
      try await database.query("SELECT max, count FROM readings_1d WHERE device_id = \(device)")[0].decode(
        (Double.self, Int.self))
    }
    #expect(day == (2, isThere ? 3 : 2))
  }

  /// Waits until a session waits for the end of `transaction`; returns false if none does within a minute.
  private static func isWaitedFor(_ transaction: Transaction) async throws -> Bool {
    for _ in 0..<1_200 {
      let rows = try await transaction.query(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid")
      if try rows[0].decode(Int.self, 0) > 0 { return true }
      usleep(50_000)
    }
    return false
  }
}
