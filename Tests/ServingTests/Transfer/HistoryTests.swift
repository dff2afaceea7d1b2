import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Gardens
@testable import Settings
@testable import Transfer

@Suite("The history of a device", .blocking)
struct HistoryTests {
  private let device: TestDevice

  init() throws { device = try TestDevice(LiveServer.shared.get()) }

  private static func file(_ lines: [String]) -> String {
    (["sensorType,value,measuredAt"] + lines).map { $0 + "\r\n" }.joined()
  }

  private func send(_ lines: [String], _ query: String = "", by client: Client? = nil) throws -> Reply {
    try (client ?? device.owner).send(
      "POST", "/api/devices/\(device.id)/history\(query)", Self.file(lines), type: "text/csv")
  }

  /// The faults of a refusal: line and pointer.
  private func faults(_ refusal: Reply) throws -> [String] {
    try (refusal.json["errors"]?.elements ?? []).map { "\($0["line"]?.integer ?? 0)\($0["pointer"]?.text ?? "")" }
  }

  private func created(_ reply: Reply) throws -> Int64? { try reply.json["created"]?["reading"]?.integer }
  private func skipped(_ reply: Reply) throws -> Int64? { try reply.json["skipped"]?["reading"]?.integer }

  @Test("is imported whatever its age, and skipped where it exists already")
  func ages() throws {
    let now = Clock.unixMilliseconds()
    let lines = [
      "soil_moisture,30.5,\(Timestamp(unixMilliseconds: now - 60_000))", "soil_moisture,31,\(now / 1_000 - 3_600)",
      "\"ph\", 6.5 ,\(now - 40 * 86_400_000)", "ph,7,2019-05-01T10:15:00+02:00", "ph,8,2019-05-01T08:45:00Z",
    ]
    let trial = try send(lines, "?dryRun=true")
    #expect(trial.status == 200)
    #expect(try created(trial) == 5)
    #expect(try device.stored().count == 0)
    let taken = try send(lines)
    #expect(taken.status == 200, "\(taken.text)")
    #expect(try created(taken) == 5)
    let again = try send(lines)
    #expect(try created(again) == nil)
    #expect(try skipped(again) == 5)
    let hours = try device.owner.get(
      device.path + "?resolution=1h&from=2019-05-01T00:00:00Z&to=2019-05-02T00:00:00Z"
    ).json["items"]?.elements
    #expect(hours?.count == 1)
    #expect(hours?.first?["count"]?.integer == 2)
    #expect(hours?.first?["mean"]?.number == 7.5)
  }

  @Test("may have values next to zero, of any age")
  func tinyValues() throws {
    let now = Clock.unixMilliseconds()
    let taken = try send(["x,5e-324,2019-05-01T10:15:00Z", "x,0,2019-05-01T10:16:00Z", "x,-1e-310,\(now)"])
    #expect(taken.status == 200, "\(taken.text)")
    for query in ["resolution=1h", "resolution=1d", "resolution=1d&timeZone=Africa/Abidjan"] {
      let items = try device.owner.get(
        device.path + "?\(query)&from=2019-05-01T00:00:00Z&to=2019-05-02T00:00:00Z"
      ).json["items"]?.elements
      #expect(items?.map { $0["count"]?.integer } == [2], "\(query)")
      #expect(items?.first?["max"]?.number == .leastNonzeroMagnitude, "\(query)")
    }
  }

  @Test("counts a repeated line once, however far apart, even where only hours are kept")
  func doubles() throws {
    let twice = "ph,7,2020-01-01T00:00:00Z"
    let others = (1...ImportBatch.fullCount + 200).map { "ph,8,\(1_577_836_800 + 3_600 + Int64($0))" }
    let lines = [twice, twice, "ph,9,2020-01-01T00:30:00Z"] + others + ["ph,3,2020-01-01T00:00:00Z"]
    let trial = try send(lines, "?dryRun=true")
    #expect(try created(trial) == Int64(others.count) + 2)
    let taken = try send(lines)
    #expect(try created(taken) == Int64(others.count) + 2)
    #expect(try skipped(taken) == 2)
    let hours = try device.owner.get(
      device.path + "?resolution=1h&from=2020-01-01T00:00:00Z&to=2020-01-01T02:00:00Z"
    ).json["items"]?.elements
    #expect(hours?.first?["count"]?.integer == 2)
    #expect(hours?.first?["mean"]?.number == 8)
    #expect(hours?.first?["min"]?.number == 7)
  }

  @Test("makes hours from a bounded number of parts at a time, and reads a part once if the file is in order")
  func slices() throws {
    let hour = Timestamp.millisecondsPerHour
    let rawFrom = Timestamp(unixMilliseconds: 500_000 * hour)
    var parts = HistoryParts(device: device.id, rawFrom: rawFrom)
    #expect(parts.slices.isEmpty)
    // A part for each day of three years, and one more, which stays raw.
    func day(_ number: Int64) -> Timestamp { rawFrom.advanced(byMilliseconds: -24 * number * hour) }
    for number in (0...1_095).reversed() {
      parts.add(Int64(number), [day(Int64(number)), day(Int64(number)).advanced(byMilliseconds: 23 * hour)])
    }
    #expect(parts.oldCount == 2 * 1_095)
    let slices = parts.slices
    #expect(slices.flatMap(\.parts).count <= 1_095 + slices.count)
    #expect(Set(slices.flatMap(\.parts)) == Set(1...1_095))
    #expect(slices.allSatisfy { (1...HistoryParts.maximumTogether).contains($0.parts.count) })
    #expect(slices.first!.from <= day(1_095) && slices.last!.to == rawFrom)
    #expect(zip(slices, slices.dropFirst()).allSatisfy { $0.to == $1.from })
    #expect(slices.allSatisfy { $0.from.unixMilliseconds % hour == 0 })
    // In a file without order every slice has all parts, and a bounded span.
    var shuffled = HistoryParts(device: device.id, rawFrom: rawFrom)
    for number in Int64(1)...200 { shuffled.add(number, [day(1_095), day(1)]) }
    let longest = shuffled.slices.map { $0.to.unixMilliseconds - $0.from.unixMilliseconds }.max()
    #expect(try #require(longest) <= HistoryParts.leastSpan)
    #expect(shuffled.slices.allSatisfy { $0.parts == Array(1...200) })
  }

  @Test("may begin with a byte order mark, and a wrong header is one fault, not one of each line")
  func header() throws {
    func send(_ text: String) throws -> Reply {
      try device.owner.send("POST", "/api/devices/\(device.id)/history", text, type: "text/csv")
    }
    let marked = try send("\u{FEFF}\"measuredAt\",sensorType,value\r\n2019-05-01T08:45:00Z,ph,7\r\n")
    #expect(marked.status == 200, "\(marked.text)")
    #expect(try created(marked) == 1)
    let wrong = try send("type,value,time\nph,7,2019-05-01T09:45:00Z\nph,15,2019-05-01T09:46:00Z\n")
    #expect(wrong.status == 422)
    #expect(try faults(wrong) == ["1", "3/value"])
    #expect(try wrong.json["errorCount"]?.integer == 2)
  }

  @Test("needs a header line: an empty file is refused, and a header alone has no readings")
  func empty() throws {
    func send(_ text: String, _ query: String = "") throws -> Reply {
      try device.owner.send("POST", "/api/devices/\(device.id)/history\(query)", text, type: "text/csv")
    }
    for text in ["", "\r\n \n"] {
      let refused = try send(text)
      #expect(refused.status == 422, "\(refused.text)")
      let detail = try refused.json["errors"]?.elements?.first?["detail"]?.text
      #expect(detail == "must name the columns sensorType,value,measuredAt")
      #expect(try send(text, "?dryRun=true").json["errorCount"]?.integer == 1)
    }
    for text in ["sensorType,value,measuredAt", "\u{FEFF}sensorType,value,measuredAt\r\n"] {
      let taken = try send(text)
      #expect(taken.status == 200, "\(taken.text)")
      #expect(try created(taken) == nil)
    }
  }

  @Test("for another device is another request, even with the same key and file")
  func key() throws {
    let other = try device.owner.post("/api/gardens/\(device.garden)/devices", #"{"name":"Other"}"#)
    let id = try #require(try other.json["id"]?.text)
    func send(to device: String) throws -> Reply {
      try self.device.owner.send(
        "POST", "/api/devices/\(device)/history", Self.file(["ph,7,2019-05-01T08:45:00Z"]),
        headers: ["Idempotency-Key: file"], type: "text/csv")
    }
    let first = try send(to: "\(device.id)")
    #expect(first.status == 200, "\(first.text)")
    #expect(try send(to: id).problem == "idempotency-key-reused")
    #expect(try send(to: "\(device.id)").body == first.body)
  }

  @Test("is refused as a whole for one faulty line, and all faults are reported")
  func faults() throws {
    let late = Timestamp(unixMilliseconds: Clock.unixMilliseconds() + 600_000)
    let reply = try send([
      "ph,7,2026-01-01T00:00:00Z", "ph,15,2026-01-01T00:00:01Z", "PH,7,2026-01-01T00:00:02Z", "ph,7",
      "ph,x,2026-01-01T00:00:03Z", "ph,7,\(late)", "ph,7,yesterday",
    ])
    #expect(reply.status == 422)
    #expect(
      try faults(reply) == ["3/value", "4/sensorType", "5", "6/value", "7/measuredAt", "8/measuredAt"])
    #expect(try device.stored().count == 0)
    let head = try device.owner.send(
      "POST", "/api/devices/\(device.id)/history", "type,value,time\nph,7,1\n", type: "text/csv")
    #expect(head.status == 422)
  }

  @Test("is refused for times before 1970, down to the smallest integer, beyond 9999, or with a sign")
  func times() throws {
    let times = ["\(Int64.min)", "\(Int64.min + 1)", "-99999999999999", "-1", "\(Int64.max)", "+1556697600"]
    let reply = try send(times.map { "ph,7,\($0)" })
    #expect(reply.status == 422)
    #expect(try faults(reply) == (2...7).map { "\($0)/measuredAt" })
    #expect(try device.owner.get("/api/devices/\(device.id)").status == 200)
  }

  @Test("adds its sensor types to those that the device had before types were recorded")
  func types() throws {
    let id = device.id
    try device.server.withDatabase { database in
      try await database.execute("INSERT INTO readings_1h VALUES (\(id), 'ec', '2024-01-01T10:00:00Z', 1, 1, 1, 1)")
    }
    #expect(try send(["ph,7,2019-05-01T08:15:00Z"]).status == 200)
    let types = try device.server.withDatabase { database in
      try await database.query("SELECT measured_types FROM devices WHERE id = \(id)")[0].decode([String].self, 0)
    }
    #expect(types == ["ec", "ph"])
  }

  @Test("is imported one at a time, does not block changes to the device, and keeps the hours of both")
  func turns() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let device = try TestDevice(server)
    let (id, path) = (device.id, "/api/devices/\(device.id)/history")
    let editor = try device.owner.share("\(device.garden)", as: .editor, with: try server.signedIn().client)
    // Seconds of two hours, of which the first lines are written before the last one comes.
    let seconds = (0..<ImportBatch.fullCount + 200).map { "ph,7,\(1_556_697_600 + $0)" }
    let end = "ph,7,1556712000\r\n"
    let other = Self.file(["ph,8,1556715600"])
    let wire = try begin(seconds, end, of: device)
    let refused = try editor.send("POST", path, other, type: "text/csv")
    #expect(refused.status == 429 && refused.header("retry-after") != nil)
    #expect(refused.text.contains("history of this device is being imported"))
    // NOWAIT would fail if the import held the row.
    let row = try server.withDatabase { database in
      try await database.write("SELECT 1 FROM devices WHERE id = \(id) FOR NO KEY UPDATE NOWAIT").count
    }
    #expect(row == 1)
    try wire.send(end)
    #expect(try created(try wire.receive()) == Int64(seconds.count) + 1)
    #expect(try created(try editor.send("POST", path, other, type: "text/csv")) == 1)
    let hours = try device.owner.get(
      device.path + "?resolution=1h&from=2019-05-01T00:00:00Z&to=2019-05-02T00:00:00Z"
    ).json["items"]?.elements
    #expect(hours?.compactMap { $0["count"]?.integer } == [3_600, 600, 1, 1])
  }

  @Test("is not stored for a member who has lost access to the garden while it was sent")
  func removed() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let device = try TestDevice(server)
    let editor = try device.owner.share("\(device.garden)", as: .editor, with: try server.signedIn().client)
    let end = "ph,7,1556712000\r\n"
    let seconds = (0..<ImportBatch.fullCount + 200).map { "ph,7,\(1_556_697_600 + $0)" }
    let wire = try begin(seconds, end, of: device, by: editor)
    let members = "/api/gardens/\(device.garden)/members"
    let member = try #require(try device.owner.get(members).items.first?["id"]?.text)
    #expect(try device.owner.delete("\(members)/\(member)").status == 204)
    try wire.send(end)
    #expect(try wire.receive().status == 404)
    let hours = try device.owner.get(
      device.path + "?resolution=1h&from=2019-05-01T00:00:00Z&to=2019-05-02T00:00:00Z"
    ).items
    #expect(hours.isEmpty)
  }

  /// Sends a file except for its end, and returns once the database has some of it.
  private func begin(
    _ lines: [String], _ end: String, of device: TestDevice, by client: Client? = nil
  ) throws -> Wire {
    let first = Self.file(lines)
    let wire = try Wire(port: device.server.port)
    try wire.send(
      """
      POST /api/devices/\(device.id)/history HTTP/1.1\r\nHost: test\r\n\
      Authorization: Bearer \(try #require((client ?? device.owner).token))\r\nContent-Type: text/csv\r\n\
      Content-Length: \(first.utf8.count + end.utf8.count)\r\n\r\n\(first)
      """)
    let isUnderWay: SQL = """
      SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
        AND query LIKE '%INSERT INTO%'
      """
    try #require(try holds { try device.server.withDatabase { try await !$0.query(isUnderWay).isEmpty } })
    return wire
  }

  @Test("does not keep readings waiting while it is sent, and stores each once")
  func slow() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (device, other) = (try TestDevice(server), try TestDevice(server))
    let newest = Clock.unixMilliseconds() / 1_000 - 60
    let lines = (1...ImportBatch.fullCount + 200).map { "ph,7,\(newest - Int64($0))" }
    let wire = try begin(lines, "ph,7,\(newest)\r\n", of: device)
    for second in [newest, newest - 1] {
      let sample = Sample(type: "ph", value: 7, at: Timestamp(unixMilliseconds: second * 1_000))
      #expect(try device.post(device.client, [sample]).status == 200)
      #expect(try other.post(other.client, [sample]).status == 200)
    }
    try wire.send("ph,7,\(newest)\r\n")
    let taken = try wire.receive()
    #expect(try created(taken) == Int64(lines.count) - 1)
    #expect(try skipped(taken) == 2)
    #expect(try device.stored().count == lines.count + 1)
  }

  @Test("does not keep buckets waiting while it is sent, even of the day before which only hours are kept")
  func edge() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let (device, other) = (try TestDevice(server), try TestDevice(server))
    let day: Int64 = 86_400_000
    let oldest = Clock.unixMilliseconds() - Int64(server.configuration.readings.rawDays) * day
    let midnight = oldest.floorDivided(by: day) * day
    let lines = (0...ImportBatch.fullCount).map { _ in "ph,7,\(midnight)" }
    let wire = try begin(lines, "ph,7,\(midnight)\r\n", of: device)
    let late = Timestamp(unixMilliseconds: min(oldest + 20 * 60_000, midnight + day - 1))
    for (device, at) in [(device, late), (other, Sample.series(1)[0].at)] {
      #expect(try device.post(device.client, [Sample(type: "ph", value: 7, at: at)]).status == 200)
    }
    for (device, from) in [(other, midnight + day), (device, midnight)] {
      let buckets = "\(device.path)?resolution=5m&from=\(Timestamp(unixMilliseconds: from))"
      #expect(try holds(within: 10) { try device.client.get(buckets).json["items"]?.elements?.count == 1 })
    }
    try wire.send("ph,7,\(midnight)\r\n")
    #expect(try wire.receive().status == 200)
  }

  @Test("may be sent by those who may edit the garden, with types that the device declares")
  func access() throws {
    let (server, line) = (device.server, ["ph,7,2026-01-01T00:00:00Z"])
    let viewer = try device.owner.share("\(device.garden)", as: .viewer, with: try server.signedIn().client)
    #expect(try send(line, by: viewer).status == 403)
    #expect(try send(line, by: try server.signedIn().client).status == 404)
    #expect(try device.owner.patch("/api/devices/\(device.id)", #"{"sensorTypes":["ec"]}"#).status == 200)
    #expect(try send(line).status == 422)
  }
}
