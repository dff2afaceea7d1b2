import Glibc
import JSON
import Postgres
import Testing
import Values

@testable import Serving
@testable import Web

@Suite("Status page", .blocking)
struct StatusTests {
  @Test("shows the checks, and the points after a given time")
  func data() throws {
    let client = Client(try LiveServer.shared.get())
    let data = try client.get("/status/data")
    #expect(data.status == 200 && data.header("cache-control") == "no-store")
    let report = try data.json
    #expect(report["status"]?.text == "healthy")
    #expect(report["checks"]?.elements?.first?["name"]?.text == "database")
    #expect(report["intervalSeconds"]?.integer == 5)
    let later = try client.get("/status/data?after=2999-01-01T00:00:00Z").json
    #expect(later["points"]?.elements?.isEmpty == true)
    #expect(try client.get("/status/data?after=yesterday").problem == "malformed-request")
  }

  @Test("reports the same start each time, so that a page recognises the process")
  func start() throws {
    let server = try LiveServer.shared.get()
    let starts = try (0..<200).map { _ in try Client(server).get("/status/data").json["startedAt"]?.text }
    #expect(Set(starts).count == 1 && starts[0] != nil)
  }

  @Test("has a point for each five seconds, from the changes of the metrics")
  func points() throws {
    let instruments = Instruments(shards: 2)
    let history = StatusHistory(instruments, now: 0)
    for (shard, status) in [(0, "200"), (1, "200"), (1, "200"), (1, "503")] {
      let requests = instruments.requests
      requests.count.child(shard: shard, "GET", "/", status, status, "\(status.prefix(1))xx").increment(by: 10)
      for _ in 0..<10 { requests.responseTime.child(shard: shard).observe(status == "503" ? 0.1 : 0.001) }
    }
    instruments.readings.child(shard: 0, "ph", "d", "accepted").increment(by: 50)
    instruments.readings.child(shard: 0, "ph", "d", "duplicate").increment(by: 7)
    instruments.requests.openConnections.child(shard: 1).set(3)
    let check = HealthCheck(name: "database", status: .healthy, latencyNanoseconds: 2_000_000, endedAt: 0)
    let report = HealthReport(checks: [check], isStarted: true)
    history.record(now: 5_000_000_000, at: Timestamp(unixMilliseconds: 5_000), report: report)
    let point = try #require(history.points.first)
    #expect(point.requestsPerSecond == 8 && point.errorShare == 0.25 && point.readingsPerSecond == 10)
    #expect(point.openConnections == 3 && point.databaseMilliseconds == 2 && point.redisMilliseconds == nil)
    #expect((0.5...1.5).contains(try #require(point.p50Milliseconds)))
    #expect((70...150).contains(try #require(point.p99Milliseconds)))

    history.record(now: 10_000_000_000, at: Timestamp(unixMilliseconds: 10_000), report: report)
    let quiet = try #require(history.points.last)
    #expect(quiet.requestsPerSecond == 0 && quiet.errorShare == nil && quiet.p50Milliseconds == nil)
  }

  @Test("shows availability by hour and day, and incidents, from what is recorded every minute")
  func record() throws {
    let before = try LiveServer()
    // A running server would note spans by itself.
    before.stop()
    func note(_ spans: [(from: Int32, to: Int32, status: String)]) throws {
      try before.withDatabase { database in
        // In one transaction, which has one `now()`.
        try await database.transaction { transaction in
          try await transaction.execute("DELETE FROM status_spans")
          for span in spans {
            try await transaction.execute(
              """
              INSERT INTO status_spans (started_at, ended_at, status) VALUES (
                now() - \(span.from) * interval '1 minute', now() - \(span.to) * interval '1 minute', \(span.status))
              """)
          }
        }
      }
    }
    // The service began two days and an hour ago, was away for six hours, and was then degraded for two.
    try note([(2_940, 1_500, "healthy"), (1_140, 1_020, "degraded"), (1_020, 0, "healthy")])
    // The new server goes on where the last span has ended.
    let server = try before.replica()
    defer { server.stop() }
    let history = try Client(server).get("/status/history").json
    let days = try #require(history["days"]?.elements)
    #expect(days.count == 90 && days[0]["up"] == .null && history["hours"]?.elements?.count == 48)
    let incidents = try #require(history["incidents"]?.elements)
    #expect(incidents.map { $0["status"]?.text } == ["degraded", "away"])
    // The whole hours of the outage have a share of 0.
    let hours = (history["hours"]?.elements ?? []).compactMap { $0["up"]?.number }
    #expect((5...6).contains(hours.filter { $0 == 0 }.count) && hours.filter { $0 > 0.99 }.count >= 38)
    #expect(hours.allSatisfy { (0...1.001).contains($0) })
  }

  @Test("does not read its history again after a failure until the answer's Retry-After has passed")
  func failing() throws {
    let server = try LiveServer(["WORKERS": "1", "DATABASE_STATEMENT_TIMEOUT_MILLISECONDS": "5000"])
    defer { server.stop() }
    let client = Client(server)
    func reads() throws -> Int {
      try client.metric(#"database_query_duration_seconds_count{statement="status.shares"}"#)
    }
    let hold = try server.holdTable("status_spans")
    defer { hold.release() }
    var failed = try client.get("/status/history")
    #expect(try reads() > 0)
    // On a busy machine the next request may come when the failure is no longer remembered.
    let isRemembered = try (0..<5).contains { _ in
      let before = try reads()
      failed = try client.get("/status/history")
      return try reads() == before
    }
    #expect(isRemembered && failed.status == 503)
    hold.release()
    sleep(try #require(UInt32(failed.header("retry-after") ?? "")))
    #expect(try client.get("/status/history").status == 200)
  }

  @Test("extends the span of a status, begins that of another without a gap, and leaves one where nothing was recorded")
  func noting() throws {
    let server = try LiveServer()
    // A running server would note spans by itself.
    server.stop()
    let noted = try server.withDatabase { database in
      func note(_ status: HealthStatus, minutesLater: Int32) async throws {
        try await database.execute(
          """
          UPDATE status_spans SET started_at = started_at - \(minutesLater) * interval '1 minute',
            ended_at = ended_at - \(minutesLater) * interval '1 minute'
          """)
        try await database.transaction { _ = try await StatusRecord.duty { status }.run($0) }
      }
      try await database.execute("DELETE FROM status_spans")
      for (status, minutes) in [(.healthy, 0), (.healthy, 1), (.degraded, 1), (.healthy, 60)] as [(HealthStatus, Int32)]
      {
        try await note(status, minutesLater: minutes)
      }
      return try await database.query(
        """
        SELECT status, round(extract(epoch FROM ended_at - started_at) / 60)::int4,
          coalesce(round(extract(epoch FROM started_at - lag(ended_at) OVER (ORDER BY started_at)) / 60), 0)::int4
        FROM status_spans ORDER BY started_at
        """
      ).map { try $0.decode((String.self, Int32.self, Int32.self)) }
    }
    #expect(noted.map(\.0) == ["healthy", "degraded", "healthy"])
    #expect(noted.map(\.1) == [1, 1, 0] && noted.map(\.2) == [0, 0, 60])
  }

  @Test("records the service as being as well as its best replica, and no incident for each note of another")
  func replicas() throws {
    let server = try LiveServer()
    // A running server would note spans by itself.
    server.stop()
    let noted = try server.withDatabase { database in
      try await database.execute("DELETE FROM status_spans")
      // Two replicas note by turns, the second half a minute after the first. In the end the first is degraded, too.
      for status in [.healthy, .degraded, .healthy, .degraded, .degraded, .degraded] as [HealthStatus] {
        try await database.execute(
          "UPDATE status_spans SET started_at = started_at - interval '30 s', ended_at = ended_at - interval '30 s'")
        try await database.transaction { _ = try await StatusRecord.duty { status }.run($0) }
      }
      return try await database.query(
        "SELECT status, round(extract(epoch FROM ended_at - started_at))::int4 FROM status_spans ORDER BY started_at"
      ).map { try $0.decode((String.self, Int32.self)) }
    }
    #expect(noted.map(\.0) == ["healthy", "degraded"] && noted.map(\.1) == [60, 90])
  }

  @Test("keeps the points of fifteen minutes")
  func bound() {
    let history = StatusHistory(Instruments(shards: 1), now: 0)
    for index in 1...200 as ClosedRange<UInt64> {
      history.record(
        now: index * 5_000_000_000, at: Timestamp(unixMilliseconds: Int64(index) * 5_000), report: .starting)
    }
    #expect(history.points.count == 180)
    #expect(history.points.first?.at == Timestamp(unixMilliseconds: 21 * 5_000))
  }
}
