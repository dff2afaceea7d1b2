import JSON
import Postgres
import Reactor
import Synchronization
import Testing
import Values

@testable import Gardens
@testable import Secrets

@Suite("Storing readings", .blocking)
struct ReadingsStoreTests {
  private func device() throws -> TestDevice { try TestDevice(LiveServer.shared.get()) }

  private static let now = Clock.unixMilliseconds()
  private static func time(_ offset: Int64) -> String { Timestamp(unixMilliseconds: now + offset).description }
  private static let past = time(-60_000)

  /// Readings, and why each is rejected; nil for those that are accepted.
  static let rules: [(json: String, reason: String?)] = [
    (#"{"sensorType":"soil_moisture","value":0,"measuredAt":"\#(time(-1_000))"}"#, nil),
    (#"{"measuredAt":"\#(time(-2_000))","value":100,"sensorType":"soil_moisture"}"#, nil),
    (#"{"sensorType":"\u0061bc_1","value":-1e15,"measuredAt":"\#(time(-3_000))"}"#, nil),
    (#"{"sensorType":"abc_1","value":1.0000000000000001e15,"measuredAt":"\#(past)"}"#, "out-of-range"),
    (#"{"sensorType":"abc_1","value":-1.7e308,"measuredAt":"\#(past)"}"#, "out-of-range"),
    (#"{"sensorType":"a23456789012345678901234567890123456789012345678","value":1,"measuredAt":"\#(past)"}"#, nil),
    (#"{"sensorType":"ph","value":7,"measuredAt":"\#(past.dropLast(5))t10:00:00z"}"#, "invalid-time"),
    (#"{"sensorType":"ph","value":7,"measuredAt":"\#(time(-4_000).dropLast())+00:00"}"#, nil),
    (#"{"sensorType":"ph","value":7,"measuredAt":"\#(time(-5_000).dropLast())999z"}"#, nil),
    (#"{"sensorType":"ph","value":7,"measuredAt":"\#(time(290_000))"}"#, nil),
    (#"{"sensorType":"ph","value":7,"measuredAt":"\#(time(-30 * 86_400_000 + 3_600_000))"}"#, nil),
    (#"{"sensorType":"ph","value":7,"measuredAt":"\#(time(-30 * 86_400_000 - 1))"}"#, "too-old"),
    (#"{"sensorType":"ph","value":7,"measuredAt":"\#(time(86_400_000))"}"#, "in-the-future"),
    (#"{"sensorType":"ph","value":14.001,"measuredAt":"\#(past)"}"#, "out-of-range"),
    (#"{"sensorType":"ph","value":-0.001,"measuredAt":"\#(past)"}"#, "out-of-range"),
    (#"{"sensorType":"ph","value":1e999,"measuredAt":"\#(past)"}"#, "not-finite"),
    (#"{"sensorType":"ph","value":"7","measuredAt":"\#(past)"}"#, "wrong-type"),
    (#"{"sensorType":"ph","value":"NaN","measuredAt":"\#(past)"}"#, "wrong-type"),
    (#"{"sensorType":7,"value":7,"measuredAt":"\#(past)"}"#, "wrong-type"),
    (#"{"sensorType":"ph","value":7,"measuredAt":\#(now - 9_000)}"#, nil),
    (#"{"sensorType":"ph","value":7,"measuredAt":\#(now / 1_000 - 9)}"#, nil),
    (#"{"sensorType":"ph","value":7,"measuredAt":99999999999}"#, "in-the-future"),
    (#"{"sensorType":"ph","value":7,"measuredAt":100000000000}"#, "too-old"),
    (#"{"sensorType":"ph","value":7,"measuredAt":-9223372036854775808}"#, "too-old"),
    (#"{"sensorType":"ph","value":7,"measuredAt":9223372036854775807}"#, "in-the-future"),
    (#"{"sensorType":"ph","value":7,"measuredAt":1.5}"#, "invalid-time"),
    (#"{"sensorType":"ph","value":7,"measuredAt":1e999}"#, "invalid-time"),
    (#"{"sensorType":"ph","value":7,"measuredAt":true}"#, "wrong-type"),
    (#"{"sensorType":"ph","value":{"a":[1]},"measuredAt":"\#(past)"}"#, "wrong-type"),
    (#"{"sensorType":"ph","value":null,"measuredAt":"\#(past)"}"#, "missing-member"),
    (#"{"sensorType":"ph","measuredAt":"\#(past)"}"#, "missing-member"),
    (#"{"value":7,"measuredAt":"\#(past)"}"#, "missing-member"),
    (#"{"sensorType":"ph","value":7}"#, nil), (#"{"sensorType":"ph","value":7,"measuredAt":null}"#, nil),
    (#"{}"#, "missing-member"),
    (#"{"sensorType":"ph","value":7,"measuredAt":"\#(past)","unit":"pH"}"#, "unknown-member"),
    (#"{"sensorType":"","value":7,"measuredAt":"\#(past)"}"#, "invalid-sensor-type"),
    (#"{"sensorType":"Ph","value":7,"measuredAt":"\#(past)"}"#, "invalid-sensor-type"),
    (#"{"sensorType":"p h","value":7,"measuredAt":"\#(past)"}"#, "invalid-sensor-type"),
    (#"{"sensorType":"p\u0000h","value":7,"measuredAt":"\#(past)"}"#, "invalid-sensor-type"),
    (#"{"sensorType":"1ph","value":7,"measuredAt":"\#(past)"}"#, "invalid-sensor-type"),
    (
      #"{"sensorType":"a234567890123456789012345678901234567890123456789","value":1,"measuredAt":"\#(past)"}"#,
      "invalid-sensor-type"
    ),
    (#"{"sensorType":"ph","value":7,"measuredAt":"2026-02-30T00:00:00Z"}"#, "invalid-time"),
    (#"{"sensorType":"ph","value":7,"measuredAt":"2026-11-21T10:00:60Z"}"#, "invalid-time"),
    (#"{"sensorType":"ph","value":7,"measuredAt":"yesterday"}"#, "invalid-time"),
    ("7", "not-an-object"), ("null", "not-an-object"), ("[]", "not-an-object"),
  ]

  @Test("judges each reading on its own", arguments: rules)
  func eachReading(rule: (json: String, reason: String?)) throws {
    let device = try device()
    let good = Sample(type: "battery", value: 50, at: Timestamp(unixMilliseconds: Self.now - 7_000)).json
    for (type, body) in [
      ("application/json", #"{"readings":[\#(rule.json),\#(good)]}"#),
      ("application/x-ndjson", "\n\(rule.json)\r\n  \n\(good)"),
    ] {
      let reply = try device.client.send("POST", device.path, body, type: type)
      #expect(reply.status == 200, "\(reply.text)")
      #expect(try reply.rejected == (rule.reason.map { ["0 \($0)"] } ?? []))
    }
  }

  @Test("accepts times from the oldest to the newest allowed, to the millisecond")
  func window() throws {
    let now = Timestamp(unixMilliseconds: Self.now)
    let window = ReadingWindow(now: now, rawDays: 30)
    var decoder = ReadingsDecoder(window: window, types: SensorTypes())
    let (oldest, newest) = (window.oldest.unixMilliseconds, window.newest.unixMilliseconds)
    let samples = [oldest - 1, oldest, newest, newest + 1].map {
      Sample(value: 1, at: Timestamp(unixMilliseconds: $0))
    }
    try decoder.readDocument(Array(Sample.document(samples).utf8))
    #expect(decoder.readings.map(\.measuredAt) == [window.oldest, window.newest])
    #expect(decoder.rejections.map(\.reason) == [.tooOld, .inTheFuture])
    #expect(Self.now - oldest == 30 * 86_400_000)
    #expect(newest - Self.now == 300_000)
  }

  @Test("says why if no reading is valid, and counts them")
  func noneGood() throws {
    let device = try device()
    let reply = try device.client.post(device.path, #"{"readings":[{"sensorType":"ph"},7]}"#)
    #expect(reply.status == 422)
    #expect(reply.problem == "no-valid-reading")
    #expect(try reply.rejected == ["0 missing-member", "1 not-an-object"])
    let metrics = try device.client.get("/metrics").text
    #expect(metrics.contains(#"sensor_type="ph",device_id="\#(device.id)",status="rejected"} 1"#))
  }

  /// Whole bodies, and the status of the answer to each.
  static let bodies: [(type: String, body: String, status: Int)] = [
    ("application/json", "", 400), ("application/json", "{", 400), ("application/json", "nonsense", 400),
    ("application/json", #"{"readings":[NaN]}"#, 400), ("application/json", #"{"readings":[{}]} x"#, 400),
    ("application/json", #"{"readings":[{"value":1,"value":1}]}"#, 400),
    ("application/json", #"{"readings":[{"x":1,"x":1}]}"#, 400),
    ("application/json", #"{"readings":[],"readings":[]}"#, 400),
    ("application/json", "[]", 422), ("application/json", "7", 422), ("application/json", "{}", 422),
    ("application/json", #"{"readings":[]}"#, 422), ("application/json", #"{"readings":{}}"#, 422),
    ("application/json", #"{"readings":null}"#, 422),
    ("application/json", #"{"readings":[{}],"more":1}"#, 422),
    ("application/json", #"{"more":1,"readings":[{}]}"#, 422),
    ("application/json", #"{"readings":[\#(Array(repeating: "{}", count: 1_001).joined(separator: ","))]}"#, 422),
    ("application/x-ndjson", "", 422), ("application/x-ndjson", "\n \r\n\t\n", 422),
    ("application/x-ndjson", "broken\n{}", 422),
    ("application/x-ndjson", String(repeating: "{}\n", count: 1_001), 422),
    ("text/plain", "{}", 415), ("application/json; charset=latin1", "{}", 415),
  ]

  @Test("refuses bodies that are malformed, empty or too long", arguments: bodies)
  func wholeBodies(row: (type: String, body: String, status: Int)) throws {
    let device = try device()
    let reply = try device.client.send("POST", device.path, row.body, type: row.type)
    #expect(reply.status == row.status, "\(reply.text)")
  }

  @Test("points at what is wrong with the shape of a reading")
  func pointers() throws {
    let device = try device()
    let rows = [
      (#"{"sensorType":"ph","value":7,"measuredAt":"now"}"#, "/measuredAt"),
      (#"{"sensorType":"pH","value":7}"#, "/sensorType"), (#"{"sensorType":"ph"}"#, "/value"),
      (#"{"value":7}"#, "/sensorType"), (#"{"sensorType":"ph","value":"7"}"#, "/value"),
      (#"{"sensorType":"ph","value":7,"a/~b":1}"#, "/a~1~0b"), ("[]", ""),
    ]
    let good = #"{"sensorType":"battery","value":50}"#
    let document = #"{"readings":[\#((rows.map(\.0) + [good]).joined(separator: ","))]}"#
    let reply = try device.client.post("/api/readings", document)
    #expect(try reply.rejections("pointer") == rows.enumerated().map { "/readings/\($0)\($1.1)" })
    let lines = (rows.map(\.0) + [good]).joined(separator: "\n")
    let other = try device.client.send("POST", "/api/readings", lines, type: "application/x-ndjson")
    #expect(try other.rejections("pointer") == rows.map(\.1))
    let outOfRange = try device.client.post("/api/readings", #"{"readings":[{"sensorType":"ph","value":15},\#(good)]}"#)
    #expect(try outOfRange.rejections("reason") == ["out-of-range"])
    #expect(try outOfRange.rejections("pointer") == [])
  }

  @Test("accepts readings without the device's id, and without a time, which is then that of their arrival")
  func ownReadings() throws {
    let device = try device()
    let before = Clock.unixMilliseconds()
    let body =
      #"{"readings":[{"sensorType":"ph","value":7},{"sensorType":"ec","value":2,"measuredAt":\#(before / 1_000)}]}"#
    #expect(try device.client.post("/api/readings", body).receipt == [2, 0])
    let own = try device.client.get("/api/device").json
    #expect(own["id"]?.text == device.id.description)
    #expect(own["garden"]?["id"]?.text == device.garden.description)
    #expect(own["garden"]?["name"]?.text == "Test")
    let latest = try #require(own["latest"]?.elements)
    #expect(latest.compactMap { $0["sensorType"]?.text } == ["ec", "ph"])
    let times = try latest.map { try #require($0["measuredAt"]?.timestamp).unixMilliseconds }
    #expect(times[0] == before / 1_000 * 1_000)
    #expect((before...Clock.unixMilliseconds()).contains(times[1]))
  }

  @Test("accepts only the types that a device declares, once it declares any, and names the nearest to others")
  func declaredTypes() throws {
    let device = try device()
    let body =
      #"{"readings":[{"sensorType":"soil_moisutre","value":1},{"sensorType":"humidity","value":1},{"sensorType":"ph","value":7}]}"#
    #expect(try device.client.post("/api/readings", body).receipt == [3, 0])
    let declared = #"{"sensorTypes":["ph","soil_moisture"]}"#
    #expect(try device.owner.patch("/api/devices/\(device.id)", declared).status == 200)
    #expect(try holds { try device.client.post("/api/readings", body).rejected.count == 2 })
    for client in [device.client, device.owner] {
      let reply = try client.post(device.path, body)
      #expect(try reply.rejected == ["0 undeclared-type", "1 undeclared-type"])
      #expect(try reply.rejections("nearest") == ["soil_moisture", "air_humidity"])
    }
  }

  @Test("rejects only the broken lines, and does not count blank ones")
  func brokenLines() throws {
    let device = try device()
    let samples = Sample.series(2)
    let body = "\(samples[0].json)\n\n{\"sensorType\n\(samples[1].json) trailing\n\(samples[1].json)\n"
    let reply = try device.client.send("POST", device.path, body, type: "application/x-ndjson")
    #expect(try reply.receipt == [2, 0])
    #expect(try reply.rejected == ["1 malformed", "2 malformed"])
  }

  @Test("stores 700 readings once, however often they are sent")
  func twice() throws {
    let device = try device()
    let client = device.client
    let samples = Sample.series(700)
    #expect(try device.post(client, samples).receipt == [700, 0])
    #expect(try device.post(client, samples).receipt == [0, 700])
    #expect(try device.stored().count == 700)
    let metrics = try client.get("/metrics").text
    let label = #"sensor_type="soil_moisture",device_id="\#(device.id)",status="#
    #expect(metrics.contains(#"\#(label)"accepted"} 700"#))
    #expect(metrics.contains(#"\#(label)"duplicate"} 700"#))
  }

  @Test("tells new, known and contradicting readings apart within one request")
  func mixture() throws {
    let device = try device()
    let client = device.client
    let known = Sample.series(3)
    #expect(try device.post(client, known).receipt == [3, 0])
    var other = known[1]
    other.value += 1
    let fresh = Sample(type: "rain", value: 1, at: known[0].at)
    let again = Sample(type: "rain", value: 2, at: known[0].at)
    // Known, contradicting, new, the new one again, and contradicting the new one.
    let reply = try device.post(client, [known[0], other, fresh, fresh, again])
    #expect(try reply.receipt == [1, 2])
    #expect(try reply.rejected == ["1 conflict", "4 conflict"])
    let refused = try device.post(client, [other])
    #expect(refused.status == 422)
    #expect(try refused.rejected == ["0 conflict"])
  }

  @Test("accepts the valid readings of a batch with a duplicate and values too large to add up")
  func hugeValues() throws {
    let device = try device()
    let client = device.client
    let known = Sample.series(2, type: "custom")
    #expect(try device.post(client, [known[0]]).receipt == [1, 0])
    let huge = (1...2).map { Sample(type: "custom", value: 1.7e308, at: known[0].at.advanced(byMilliseconds: $0)) }
    let reply = try device.post(client, known + huge)
    #expect(try reply.receipt == [1, 1])
    #expect(try reply.rejected == ["2 out-of-range", "3 out-of-range"])
  }

  @Test("accepts 64 sensor types of a device and no more, on every loop, and goes on accepting those")
  func manyTypes() throws {
    let device = try device()
    let at = Timestamp(unixMilliseconds: Self.now - 60_000)
    let samples = (0..<100).map { Sample(type: "t\($0)", value: 1, at: at) }
    let all = try together(6) { _ in try device.post(device.client, samples).rejected }
    #expect(try device.stored().count == 64)
    let beyond = (64..<100).map { "\($0) too-many-types" }
    for rejected in all { #expect(rejected == beyond) }
    let known = Sample(type: "t63", value: 2, at: at.advanced(byMilliseconds: 1))
    let more = try device.post(device.client, [known, samples[64]])
    #expect(try more.receipt == [1, 0])
    #expect(try more.rejected == ["1 too-many-types"])
  }

  @Test("does not write known sensor types again on a server that has not met the device")
  func notedTypes() throws {
    let device = try device()
    #expect(try device.post(device.client, Sample.series(1)).status == 200)
    let other = try device.server.replica()
    defer { other.stop() }
    #expect(try device.post(Client(other, token: device.client.token), Sample.series(2)).status == 200)
    let metrics = try Client(other).get("/metrics").text
    #expect(metrics.contains(#"statement="devices.notedTypes""#))
    #expect(!metrics.contains(#"statement="devices.learnTypes""#))
  }

  @Test("lets a device write and read only its own readings")
  func strangers() throws {
    let (device, other) = (try device(), try device())
    let body = Sample.document(Sample.series(1))
    #expect(try other.client.post(device.path, body).status == 404)
    #expect(try other.client.get(device.path).status == 404)
    #expect(try device.client.post("/api/devices/nonsense/readings", body).status == 404)
    let anonymous = Client(device.server)
    #expect(try anonymous.post(device.path, body).status == 401)
    #expect(try anonymous.get(device.path).status == 401)
    #expect(try Client(device.server, token: OpaqueKey.make(.deviceKey).text).post(device.path, body).status == 401)
  }

  @Test(
    "does not keep others waiting for a device whose readings another transaction holds",
    arguments: ["readings", "readings_late"])
  func held(table: String) throws {
    let server = try LiveServer(["WORKERS": "1", "READINGS_SEALING": "off"])
    defer { server.stop() }
    let (held, other) = (try TestDevice(server), try TestDevice(server))
    for device in [held, other] { #expect(try device.post(device.client, Sample.series(1)).status == 200) }
    let at = Timestamp(unixMilliseconds: Self.now - (table == "readings" ? 0 : 4 * 86_400_000))
    let isWaiting: SQL =
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    let id = held.id
    let statuses = try server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute("INSERT INTO \(unescaped: table) VALUES (\(id), 'soil_moisture', \(at), 1)")
        let isOver = Atomic<Bool>(false)
        return try together(5) { index -> Set<Int> in
          var statuses: Set<Int> = []
          if index > 0 {
            while !isOver.load(ordering: .acquiring) {
              statuses.insert(try held.post(held.client, [Sample(value: 1, at: at)]).status)
            }
          } else {
            defer { isOver.store(true, ordering: .releasing) }
            _ = try holds { try server.withDatabase { try await !$0.query(isWaiting).isEmpty } }
            for round in 1...3 {
              let sample = Sample(value: 1, at: at.advanced(byMilliseconds: Int64(round)))
              statuses.insert(try other.post(other.client, [sample]).status)
            }
          }
          return statuses
        }
      }
    }
    #expect(statuses[0] == [200])
    #expect(statuses[1...].allSatisfy { $0 == [503] })
    #expect(try held.stored().count == 2 && other.stored().count == 4)
  }

  @Test("soon records when a device was last heard of")
  func lastSeen() throws {
    let device = try device()
    let before = Clock.unixMilliseconds()
    #expect(try device.post(device.client, Sample.series(1)).status == 200)
    let id = device.id
    #expect(
      try holds {
        let seen = try device.server.withDatabase { database in
          try await database.query("SELECT last_seen_at FROM devices WHERE id = \(id)")[0].decode(Timestamp?.self, 0)
        }
        return seen.map { $0.unixMilliseconds >= before - 1_000 } ?? false
      })
  }
}
