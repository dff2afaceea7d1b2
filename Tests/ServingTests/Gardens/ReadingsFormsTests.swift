import Reactor
import Testing
import Values

@testable import Gardens

@Suite("Reading readings as JSON and CSV", .blocking)
struct ReadingsFormsTests {
  private func device() throws -> TestDevice { try TestDevice(LiveServer.shared.get()) }

  @Test(
    "honours Accept, as other routes do, with 406 where it allows no form of the answer",
    arguments: [
      ("GET", "/api/gardens", "text/html", 406), ("GET", "/api/gardens", "application/*;q=0.1", 200),
      ("GET", "/api/gardens", "text/html, */*;q=0.1", 200), ("GET", "/api/gardens", "application/json;q=0", 406),
      ("GET", "/api/users/me", "text/csv", 406), ("GET", "/api/users/me", "application/json", 200),
      ("PATCH", "/api/users/me", "text/csv", 406), ("GET", "/api/users/me/export", "application/json", 406),
      ("GET", "/version", "text/html", 406), ("GET", "/openapi.json", "image/png", 406), ("GET", "/livez", "a/b", 200),
      ("DELETE", "/api/sessions/current", "text/csv", 204), ("GET", "/", "text/html", 200),
    ])
  func negotiation(method: String, path: String, accept: String, status: Int) throws {
    let (client, _) = try LiveServer.shared.get().signedIn()
    let body = method == "PATCH" ? #"{"displayName":"Refused"}"# : nil
    let reply = try client.send(method, path, body, headers: ["Accept: \(accept)"])
    #expect(reply.status == status)
    #expect(reply.problem == (status == 406 ? "not-acceptable" : nil))
    if method == "PATCH" { #expect(try client.get("/api/users/me").json["displayName"]?.text != "Refused") }
  }

  @Test("returns CSV to clients that ask for it, and 406 to those that accept neither form")
  func forms() throws {
    let device = try device()
    let client = device.client
    let samples = [0, 1].map { Sample(value: 20.25, at: Sample.series(2)[$0].at) }
    #expect(try device.post(client, samples).status == 200)
    let csv = try client.get("\(device.path)?limit=1", headers: ["Accept: text/csv"])
    #expect(csv.header("content-type") == "text/csv; charset=utf-8; header=present")
    #expect(csv.text == "sensorType,value,measuredAt\r\nsoil_moisture,20.25,\(samples[0].at)\r\n")
    #expect(csv.header("link")?.contains("cursor=") == true)
    let buckets = try client.get("\(device.path)?resolution=1h", headers: ["Accept: text/*, application/json;q=0.5"])
    #expect(buckets.text.hasPrefix("sensorType,start,min,max,mean,count\r\n"))
    for accept in ["*/*", "application/json", "text/html, application/*;q=0.1"] {
      let reply = try client.get(device.path, headers: ["Accept: \(accept)"])
      #expect(reply.header("content-type") == "application/json")
    }
    for accept in ["text/html", "text/csv;q=0"] {
      #expect(try client.get(device.path, headers: ["Accept: \(accept)"]).status == 406)
    }
  }

  @Test("returns items of several types, in a body of several pieces, as they were posted, in both forms")
  func long() throws {
    let device = try device()
    let client = device.client
    let start = Clock.unixMilliseconds() - 3_600_000
    let samples = (0..<900).map { index in
      Sample(
        type: ["a", "rain", "soil_temperature_with_a_name_of_forty_eight_byte"][index % 3],
        value: (Double(index) + 0.5) / 7,
        at: Timestamp(unixMilliseconds: start + Int64(index / 3) * 1_000))
    }
    #expect(try device.post(client, samples).receipt == [900, 0])
    let json = try client.get("\(device.path)?limit=10000")
    #expect(json.text == #"{"items":[\#(samples.map(\.json).joined(separator: ","))],"nextCursor":null}"#)
    #expect(json.body.count > 64 << 10)
    let csv = try client.get("\(device.path)?limit=10000", headers: ["Accept: text/csv"])
    let lines = samples.map { "\($0.type),\($0.value),\($0.at)\r\n" }
    #expect(csv.text == "sensorType,value,measuredAt\r\n" + lines.joined())
    #expect(csv.header("link") == nil)
  }

  @Test("returns an empty page in both forms")
  func empty() throws {
    let device = try device()
    for (resolution, head) in [("raw", "sensorType,value,measuredAt"), ("5m", "sensorType,start,min,max,mean,count")] {
      for type in ["", "&sensorType=rain"] {
        let target = "\(device.path)?resolution=\(resolution)\(type)"
        #expect(try device.client.get(target).text == #"{"items":[],"nextCursor":null}"#)
        #expect(try device.client.get(target, headers: ["Accept: text/csv"]).text == head + "\r\n")
      }
    }
  }

  @Test("streams a whole garden as CSV, device by device, and pages through the same as JSON")
  func ofGarden() throws {
    let device = try device()
    let owner = device.owner
    let second = try owner.makeDevice(in: "\(device.garden)")
    _ = try owner.makeDevice(in: "\(device.garden)")
    for _ in 0..<3 { #expect(try device.post(device.client, Sample.series(1_000, type: "ph")).status == 200) }
    let samples = Sample.series(1_000)
    #expect(try device.post(device.client, samples).receipt == [1_000, 0])
    let other = Client(device.server, token: second.key)
    #expect(try other.post("/api/readings", Sample.document(Array(samples.prefix(500)))).receipt == [500, 0])

    let path = "/api/gardens/\(device.garden)/readings?sensorType=soil_moisture"
    let table = try owner.get(path, headers: ["Accept: text/csv"])
    let lines = table.text.split(separator: "\r\n").map(String.init)
    #expect(lines.first == "deviceId,sensorType,value,measuredAt")
    #expect(lines.count == 1_501)
    #expect(lines[1] == "\(device.id),soil_moisture,0,\(samples[0].at)")
    #expect(lines[1_001] == "\(second.id),soil_moisture,0,\(samples[0].at)")

    let rows = try owner.pages(from: path + "&limit=400").flatMap { try $0.items }.map {
      "\($0["deviceId"]?.text ?? ""),soil_moisture,\($0["value"]?.integer ?? -1),\($0["measuredAt"]?.text ?? "")"
    }
    #expect(rows == Array(lines.dropFirst()))
    let limited = try owner.get(path + "&limit=2", headers: ["Accept: text/csv"])
    #expect(limited.text.split(separator: "\r\n").count == 3)
    #expect(limited.header("link") != nil)
    #expect(try Client(device.server).get(path).status == 404)
  }

  @Test("reads a bounded number of a garden's devices at a time, and leads to the others even without items")
  func manyDevices() throws {
    let device = try device()
    let (garden, silent) = (device.garden, ReadingsQuery.maximumDevices + 10)
    try device.server.withDatabase { database in
      _ = try await database.execute(
        """
        INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
        SELECT gen_random_uuid(), \(garden), 'Silent', sha256(gen_random_uuid()::text::bytea), now(), now()
        FROM generate_series(1, \(silent))
        """)
      // The last of them is not silent.
      _ = try await database.execute(
        """
        WITH last AS (
          UPDATE devices SET measured_types = '{ph}'
          WHERE id = (SELECT id FROM devices WHERE garden_id = \(garden) ORDER BY id DESC LIMIT 1) RETURNING id
        )
        INSERT INTO readings (device_id, sensor_type, measured_at, value)
        SELECT id, 'ph', date_trunc('milliseconds', now()), 7 FROM last
        """)
    }
    let path = "/api/gardens/\(garden)/readings"
    let pages = try device.owner.pages(from: path)
    #expect(try pages.map { try $0.items.count } == [0, 1])
    let table = try device.owner.get(path, headers: ["Accept: text/csv"])
    #expect(table.text.split(separator: "\r\n").count == 2)
    #expect(table.header("link") == nil)
  }

  @Test("counts what slow clients have not taken yet towards HTTP_MEMORY, and frees it when they leave")
  func memory() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let (owner, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", (0..<10_000).map { (hoursAgo: Double($0) / 3_600, value: Double($0 % 100)) })
    let token = try #require(owner.token)
    // One after the other: a client may have a few long reads at a time.
    var slow: [Wire] = try (0..<40).map { _ in
      let wire = try Wire(port: server.port, receiveBytes: 8_192)
      try wire.send(
        """
        GET /api/devices/\(plot.device)/readings?limit=10000 HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r
        \r\n
        """)
      #expect(String(decoding: try wire.take(until: Array("\r\n\r\n".utf8)), as: UTF8.self).contains(" 200 "))
      return wire
    }
    // 160 kB for the items of each; without them, what is being sent takes up to 140 kB.
    #expect(try holds { try server.metric("http_memory_bytes") > 9_000_000 })
    slow.removeAll()
    #expect(try holds { try server.metric("http_memory_bytes") < 4_000_000 })
  }

  @Test("streams a whole device as CSV, in more than one part")
  func wholeDevice() throws {
    let device = try device()
    let (id, server) = (device.id, device.server)
    try server.withDatabase { database in
      _ = try await database.execute(
        """
        INSERT INTO readings (device_id, sensor_type, measured_at, value)
        SELECT \(id), 'ph', date_trunc('day', now()) + n * interval '1 ms', n % 10 FROM generate_series(1, 25000) n
        """)
      _ = try await database.execute("UPDATE devices SET measured_types = '{ph}' WHERE id = \(id)")
    }
    let table = try device.owner.get(device.path + "?from=2020-01-01T00:00:00Z", headers: ["Accept: text/csv"])
    let lines = table.text.split(separator: "\r\n")
    #expect(lines.count == 25_001)
    #expect(Set(lines).count == 25_001)
    #expect(table.header("link") == nil)
  }
}
