import Glibc
import Postgres
import Reactor
import Synchronization
import Testing
import Values

@testable import Gardens

@Suite("Durable readings", .blocking)
struct ReadingsDurabilityTests {
  /// The sums of what clients were answered.
  private struct Tally {
    var accepted = 0
    var duplicates = 0
    var failures: [String] = []

    mutating func add(_ reply: Reply) throws {
      guard reply.status == 200 else { return failures.append("\(reply.status) \(reply.text)") }
      accepted += Int(try reply.receipt[0] ?? 0)
      duplicates += Int(try reply.receipt[1] ?? 0)
    }
  }

  @Test("are accepted exactly once from 16 clients that send the same ones, each in its own order")
  func overlapping() throws {
    let device = try TestDevice(LiveServer.shared.get())
    let samples = Sample.series(1_200) + Sample.series(1_200, type: "rain")
    let tally = Mutex(Tally())
    try concurrently(16) { index in
      do {
        var generator = SystemRandomNumberGenerator()
        let client = device.client
        let shuffled = samples.shuffled(using: &generator)
        for start in stride(from: 0, to: shuffled.count, by: 80) {
          let reply = try patiently { try device.post(client, Array(shuffled[start..<start + 80])) }
          try tally.withLock { try $0.add(reply) }
        }
      } catch {
        tally.withLock { $0.failures.append("\(index): \(error)") }
      }
    }
    let result = tally.withLock { $0 }
    #expect(result.failures == [])
    #expect(result.accepted == 2_400)
    #expect(result.duplicates == 15 * 2_400)
    let stored = try device.stored()
    #expect(stored.count == 2_400)
    #expect(stored.sum == samples.reduce(0) { $0 + $1.value })
  }

  @Test("are retried about a dozen times, with growing pauses, while the database's disk is full")
  func fullDisk() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let device = try TestDevice(server)
    // Counted by a sequence, since nothing else that a transaction has done outlives its rollback.
    try server.withDatabase { database in
      try await database.execute("CREATE SEQUENCE attempts")
      try await database.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM nextval('attempts'); RAISE 'no space left' USING ERRCODE = '53100'; END $$
        """)
      try await database.execute(
        "CREATE TRIGGER full_disk BEFORE INSERT ON readings FOR EACH STATEMENT EXECUTE FUNCTION refuse()")
    }
    #expect(try device.post(device.client, Sample.series(3)).status == 503)
    let attempts = try server.withDatabase {
      try await $0.query("SELECT last_value FROM attempts")[0].decode(Int.self, 0)
    }
    // The pauses grow from 20 to 320 ms, and fill three seconds. Each attempt is made by one statement or two.
    #expect((2...26).contains(attempts))
    try server.withDatabase { try await $0.execute("DROP TRIGGER full_disk ON readings") }
    #expect(try device.post(device.client, Sample.series(3)).status == 200)
  }

  @Test("that the database refuses fail their own request, and no other in the same statement")
  func badNeighbour() throws {
    // A server of its own, whose database refuses one sensor's readings.
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let device = try TestDevice(server)
    try server.withDatabase { try await $0.execute("ALTER TABLE readings ADD CHECK (sensor_type <> 'refused')") }
    let samples = Sample.series(1_600)
    let good = Mutex(Tally())
    let bad = Mutex<[Int]>([])
    try concurrently(17) { index in
      let client = device.client
      for round in 0..<10 {
        if index == 16 {
          let sample = Sample(
            type: "refused", value: 1, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds() - Int64(round)))
          let status = (try? device.post(client, [sample]).status) ?? 0
          bad.withLock { $0.append(status) }
        } else {
          let start = (index * 10 + round) * 10
          guard let reply = try? device.post(client, Array(samples[start..<start + 10])) else { continue }
          good.withLock { try? $0.add(reply) }
        }
      }
    }
    #expect(good.withLock { $0.failures } == [])
    #expect(good.withLock { $0.accepted } == 1_600)
    #expect(bad.withLock { $0 } == Array(repeating: 500, count: 10))
    #expect(try device.stored().count == 1_600)
  }

  @Test("stay stored once acknowledged, even while connections to Postgres are killed")
  func killedBackends() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let device = try TestDevice(server)
    let acknowledged = Mutex<[Int]>([])
    let refused = Mutex<[Int: Int]>([:])
    let isOver = Atomic(false)
    let end = Clock.unixMilliseconds() - 60_000
    let killer = try SystemThread(name: "killer") {
      while !isOver.load(ordering: .relaxed) {
        usleep(150_000)
        try? server.withDatabase { database in
          _ = try await database.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'terroir'
            """)
        }
      }
    }
    try concurrently(8) { index in
      let client = device.client
      for round in 0..<150 {
        let numbers = (0..<10).map { (index * 150 + round) * 10 + $0 }
        let samples = numbers.map {
          Sample(value: Double($0 % 100), at: Timestamp(unixMilliseconds: end - Int64($0) * 1_000))
        }
        let status = (try? device.post(client, samples).status) ?? 0
        if status == 200 {
          acknowledged.withLock { $0 += numbers }
        } else {
          refused.withLock { $0[status, default: 0] += 1 }
        }
      }
    }
    isOver.store(true, ordering: .relaxed)
    killer.join()
    let numbers = acknowledged.withLock { $0 }
    #expect(!numbers.isEmpty)
    #expect(Set(refused.withLock { $0.keys }).isSubset(of: [503]))
    let id = device.id
    let stored = try server.withDatabase { database in
      let rows = try await database.query("SELECT measured_at FROM readings WHERE device_id = \(id)")
      return Set(try rows.map { Int(end - (try $0.decode(Timestamp.self, 0)).unixMilliseconds) / 1_000 })
    }
    #expect(Set(numbers).subtracting(stored).isEmpty)
  }

  @Test("are listed with their device's types after a failover to a server that lacks the last of these")
  func lostTypes() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let device = try TestDevice(server)
    let (client, id) = (device.client, device.id)
    func types() throws -> [String] {
      try server.withDatabase { database in
        try await database.query("SELECT measured_types FROM devices WHERE id = \(id)")[0].decode([String].self, 0)
      }
    }
    #expect(try device.post(client, Sample.series(1)).status == 200)
    #expect(try device.post(client, Sample.series(1, type: "ph")).status == 200)
    #expect(try types() == ["soil_moisture", "ph"])
    try server.losePostgres()
    try server.regainPostgres()
    // As on a standby that is promoted before it has received the second one.
    try server.withDatabase { database in
      _ = try await database.execute("UPDATE devices SET measured_types = '{soil_moisture}' WHERE id = \(id)")
    }
    #expect(
      try holds {
        _ = try? device.post(client, Sample.series(1, type: "ph"))
        return try types() == ["soil_moisture", "ph"]
      })
  }

  @Test("are refused at once while Postgres is away")
  func away() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let device = try TestDevice(server)
    let client = device.client
    #expect(try device.post(client, Sample.series(1)).status == 200)
    try server.losePostgres()
    usleep(300_000)
    // Less than the timeout of a statement or a connection. One faster answer shows that none is waited for; the others
    // may be slow on a busy machine.
    let limit: UInt64 = 2_900_000_000
    var fastest = UInt64.max
    for _ in 0..<10 where fastest >= limit {
      let began = Clock.monotonic()
      let reply = try device.post(client, Sample.series(2))
      fastest = min(fastest, Clock.monotonic() - began)
      #expect(reply.status == 503)
      #expect(reply.header("retry-after") != nil)
    }
    #expect(fastest < limit)
    try server.regainPostgres()
    #expect(try holds { try device.post(client, Sample.series(2)).status == 200 })
  }
}
