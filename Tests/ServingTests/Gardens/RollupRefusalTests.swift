import Glibc
import Reactor
import Telemetry
import Testing
import Values

@testable import Gardens
@testable import Web

@Suite("A rollup of what cannot be added up", .blocking)
struct RollupRefusalTests {
  @Test("makes all other buckets when one has values that overflow its sum, and makes that one from the rest")
  func hugeValues() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (bad, good) = (try TestDevice(server), try TestDevice(server))
    let start = Timestamp(unixMilliseconds: (Clock.unixMilliseconds() / 300_000 - 2) * 300_000)
    let id = bad.id
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute(
          """
          INSERT INTO readings SELECT \(id), 'custom', \(start) + i * interval '1 s', value
          FROM unnest('{1.7e308,1.7e308,5}'::float8[]) WITH ORDINALITY AS r (value, i)
          """)
        // Additions of an earlier release: two that overflow together, and one that has overflowed by itself.
        for sum in [1.7e308, 1.7e308, .infinity] {
          try await transaction.execute(
            """
            INSERT INTO rollup_additions
            VALUES (ARRAY[\(id)], ARRAY['custom'], ARRAY[\(start)], ARRAY[5.0], ARRAY[1.7e308], ARRAY[\(sum)], ARRAY[1])
            """)
        }
      }
    }
    let sample = Sample(type: "custom", value: 7, at: start.advanced(byMilliseconds: 10))
    #expect(try good.post(good.client, [sample]).receipt == [1, 0])
    #expect(try holds(within: 30) { try good.buckets("5m", from: 0, to: Clock.unixMilliseconds()).count == 1 })
    #expect(
      try holds(within: 30) {
        let found = try bad.buckets("5m", from: 0, to: Clock.unixMilliseconds())
        return found.count == 1 && found[0].numbers == [5, 5, 5, 1]
      })
    #expect(server.log.lines.contains { $0.contains("Additions to buckets were refused") })
  }

  @Test("adds up values next to zero, which Postgres cannot divide, and loses none beside them")
  func tinyValues() throws {
    let server = try LiveServer.shared.get()
    let device = try TestDevice(server)
    let (day, least): (Int64, Double) = (86_400_000, .leastNonzeroMagnitude)
    let start = (Clock.unixMilliseconds() / day - 1) * day
    func samples(_ type: String, _ values: [(minute: Int64, value: Double)]) -> [Sample] {
      values.map { Sample(type: type, value: $0.value, at: Timestamp(unixMilliseconds: start + $0.minute * 60_000)) }
    }
    // Tiny values alone, one next to another bucket's value, and a tiny remainder of larger ones.
    let all =
      samples("a", [(0, least), (1, 0)]) + samples("b", [(0, least * 1e9), (6, 20)])
      + samples("c", [(0, 3e-308), (1, -2.99e-308), (6, -least), (61, 0), (62, least)])
    #expect(try device.post(device.client, all).receipt == [9, 0])
    let end = start + day
    func essence(_ buckets: [Bucket]) -> [String] {
      buckets.map { "\($0.type) \($0.start) \($0.numbers[0]) \($0.numbers[1]) \($0.numbers[3])" }.sorted()
    }
    let expected = essence(Bucket.expected(all, 300_000))
    #expect(try holds { try essence(device.buckets("5m", from: start, to: end)) == expected })
    func counts(_ query: String) throws -> [String] {
      let span = "from=\(Timestamp(unixMilliseconds: start))&to=\(Timestamp(unixMilliseconds: end))"
      let items = try device.client.get("\(device.path)?\(query)&\(span)").json["items"]?.elements ?? []
      return items.map { "\($0["sensorType"]?.text ?? "") \($0["count"]?.integer ?? 0)" }
    }
    #expect(try counts("resolution=1h") == ["a 2", "b 2", "c 3", "c 2"])
    #expect(try counts("resolution=1d") == ["a 2", "b 2", "c 5"])
    #expect(try counts("resolution=1d&timeZone=Africa/Abidjan") == ["a 2", "b 2", "c 5"])
    let span = "from=\(Timestamp(unixMilliseconds: start - 40 * day))&to=\(Timestamp(unixMilliseconds: end))"
    for range in ["range=week", span] {
      let chart = try device.owner.get("/gardens/\(device.garden)/data?\(range)")
      #expect(try chart.json["series"]?.elements?.count == 3, "\(range)")
    }
    let insight = try device.owner.post("/api/gardens/\(device.garden)/insights", #"{"type":"summary"}"#)
    #expect(insight.status == 201, "\(insight.text)")
    #expect(!server.log.lines.contains { $0.contains("\(device.id)") && $0.contains("aside") })
  }

  @Test("sets a bucket aside that the database refuses, says so, and goes on with its neighbours")
  func setAside() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let device = try TestDevice(server)
    let id = device.id
    let start = Timestamp(unixMilliseconds: (Clock.unixMilliseconds() / 3_600_000 - 24) * 3_600_000)
    try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
          CREATE TRIGGER refuse BEFORE INSERT ON readings_5m FOR EACH ROW WHEN (NEW.min = 77)
          EXECUTE FUNCTION refuse();
          """)
        try await transaction.execute(
          """
          INSERT INTO readings SELECT \(id), 'custom', \(start) + i * interval '5 minutes', i FROM generate_series(1, 200) i
          """)
        try await transaction.execute(
          """
          INSERT INTO rollup_queue (device_id, sensor_type, start)
          SELECT \(id), 'custom', \(start) + i * interval '5 minutes' FROM generate_series(1, 200) i
          """)
      }
    }
    #expect(try holds(within: 60) { try RollupTests.isDone(with: id, server) })
    let minima = try device.buckets("5m", from: 0, to: Clock.unixMilliseconds()).map { $0.numbers[0] }
    let others = (1...200).filter { $0 != 77 }.map { Double($0) }
    #expect(minima == others)
    #expect(server.log.lines.contains { $0.contains("A bucket was set aside") && $0.contains("\(id)") })
    #expect(try Client(server).get("/metrics").text.contains(#"rollup_refused_total{part="bucket"} 1"#))
    let refused = try server.withDatabase { database in
      try await database.query("SELECT start FROM rollup_refused")[0].decode(Timestamp.self, 0)
    }
    #expect(refused == start.advanced(byMilliseconds: 77 * 300_000))
  }
}
