import JSON
import Postgres
import Reactor
import Secrets
import Testing
import Values

@testable import Gardens

@Suite("Reading readings", .blocking)
struct ReadingsQueryTests {
  private func device() throws -> TestDevice { try TestDevice(LiveServer.shared.get()) }

  private func items(_ reply: Reply) throws -> [JSONValue] { try #require(try reply.json["items"]?.elements) }

  @Test("gives raw readings by time and type, page by page")
  func pages() throws {
    let device = try device()
    let client = device.client
    let samples = Sample.series(25) + Sample.series(25, type: "rain")
    #expect(try device.post(client, samples).status == 200)
    var seen: [String] = []
    var target: String? = "\(device.path)?limit=7"
    var pages = 0
    while let next = target {
      let reply = try client.get(next)
      #expect(reply.status == 200)
      #expect(reply.header("content-type") == "application/json")
      for item in try items(reply) {
        seen.append(
          "\(item["measuredAt"]?.text ?? "") \(item["sensorType"]?.text ?? "") \(item["value"]?.number ?? -1)")
      }
      let cursor = try reply.json["nextCursor"]?.text
      target = reply.header("link").map { String($0.dropFirst().prefix { $0 != ">" }) }
      #expect((cursor == nil) == (target == nil))
      if let cursor, let target { #expect(target == "\(device.path)?limit=7&cursor=\(cursor)") }
      pages += 1
    }
    #expect(pages == 8)
    #expect(seen == samples.map { "\($0.at) \($0.type) \($0.value)" }.sorted())
    let one = try client.get("\(device.path)?sensorType=rain")
    #expect(try items(one).count == 25)
    #expect(try items(one).allSatisfy { $0["sensorType"]?.text == "rain" })
    #expect(try items(device.owner.get(device.path)).count == 50)
  }

  @Test("carries a weak tag of what is there, another one for each form, and saves the body of what the client has")
  func tags() throws {
    let device = try device()
    let client = device.client
    #expect(try device.post(client, Sample.series(3)).status == 200)
    // Not between the rollup's buckets and none.
    #expect(try holds { try !items(client.get(device.path + "?resolution=1h")).isEmpty })
    for target in [device.path, device.path + "?limit=2", device.path + "?resolution=1h"] {
      let json = try client.get(target)
      let tag = try #require(json.header("etag"))
      let csv = try #require(try client.get(target, headers: ["Accept: text/csv"]).header("etag"))
      #expect(tag.hasPrefix("W/\"") && csv.hasPrefix("W/\"") && csv != tag)
      let kept = try client.get(target, headers: ["If-None-Match: \(tag)"])
      #expect(kept.status == 304 && kept.body.isEmpty && kept.header("etag") == tag)
      #expect(kept.header("vary") == "Accept" && kept.header("cache-control") == "private, no-cache")
      #expect(try client.get(target, headers: ["If-None-Match: \(tag)", "Accept: text/csv"]).status == 200)
    }
    let before = try #require(try client.get(device.path).header("etag"))
    #expect(try device.post(client, Sample.series(1, type: "rain")).status == 200)
    #expect(try client.get(device.path, headers: ["If-None-Match: \(before)"]).status == 200)
  }

  @Test("leads from a page that the client has kept to what has come since, however far its device's clock is ahead")
  func openEnd() throws {
    let device = try device()
    let client = device.client
    let samples = Sample.series(4)
    #expect(try device.post(client, samples).status == 200)
    let target = "\(device.path)?from=\(samples[0].at)&limit=2"
    let kept = try client.get(target)
    let tag = try #require(kept.header("etag"))
    let next = try #require(kept.header("link").map { String($0.dropFirst().prefix { $0 != ">" }) })
    // Beyond what the first page's request could take for now.
    let at = Timestamp(unixMilliseconds: Clock.unixMilliseconds() + ReadingWindow.futureMilliseconds)
    #expect(try device.post(client, [Sample(value: 7, at: at)]).receipt == [1, 0])
    #expect(try client.get(target, headers: ["If-None-Match: \(tag)"]).status == 304)
    let rest = next.replacing("limit=2", with: "limit=5")
    #expect(try holds { try items(client.get(rest)).map { $0["value"]?.number } == [2, 3, 7] })
  }

  @Test("is another answer once another device has more, though the items are the same")
  func grownGarden() throws {
    let device = try device()
    let samples = Sample.series(3)
    #expect(try device.post(device.client, samples).status == 200)
    let target = "/api/gardens/\(device.garden)/readings?from=\(samples[0].at)&limit=3"
    let before = try device.owner.get(target)
    let tag = try #require(before.header("etag"))
    #expect(try items(before).count == 3)
    #expect(try before.json["nextCursor"] == .null)
    #expect(try device.owner.get(target, headers: ["If-None-Match: \(tag)"]).status == 304)
    let second = try device.owner.makeDevice(in: "\(device.garden)")
    #expect(
      try Client(device.server, token: second.key).post("/api/readings", Sample.document(samples)).receipt == [3, 0])
    let after = try device.owner.get(target, headers: ["If-None-Match: \(tag)"])
    #expect(after.status == 200)
    #expect(try after.json["items"] == before.json["items"])
    #expect(try after.json["nextCursor"]?.text != nil)
  }

  @Test("takes `from` in and leaves `to` out, and gives the last 24 hours unless told otherwise")
  func spans() throws {
    let device = try device()
    let client = device.client
    let now = Clock.unixMilliseconds()
    let samples = [-25 * 3_600_000, -7_200_000, -3_600_000, 60_000].map {
      Sample(value: 1, at: Timestamp(unixMilliseconds: now + $0))
    }
    #expect(try device.post(client, samples).receipt == [4, 0])
    #expect(try items(client.get(device.path)).count == 3)
    let span = "?from=\(samples[1].at)&to=\(samples[2].at)"
    #expect(try items(client.get(device.path + span)).compactMap { $0["measuredAt"]?.text } == ["\(samples[1].at)"])
    #expect(try items(client.get(device.path + "?from=\(samples[0].at)")).count == 4)
    #expect(try items(client.get(device.path + "?to=\(samples[1].at)")).count == 1)
    #expect(try items(client.get(device.path + "?from=\(samples[1].at)&to=\(samples[1].at)")).isEmpty)
  }

  static let malformed = [
    "from=2026-11-21T10:00:00Z&to=2026-11-21T09:00:00Z", "from=yesterday", "resolution=2h", "limit=0", "limit=10001",
    "limit=x", "sensorType=UPPER", "cursor=nonsense", "from=2026-11-21T10:00:00Z&from=2026-11-21T10:00:00Z",
  ]

  @Test("refuses a cursor that was sealed for the same list and has too little in it")
  func shortCursor() throws {
    let device = try device()
    let seal = CursorSeal(secret: Array(device.server.configuration.accounts.jwtSecret.utf8))
    func page(_ payload: CursorPayload) throws -> Reply {
      let cursor = seal.seal(payload, list: "readings \(device.id) raw   ")
      return try device.client.get("\(device.path)?cursor=\(cursor)")
    }
    var payload = CursorPayload()
    payload.append(Int64(0))
    #expect(try page(payload).problem == "invalid-cursor")
    payload.append("ph")
    #expect(try page(payload).problem == "invalid-cursor")
    payload.append(Int64(0))
    #expect(try page(payload).status == 200)
  }

  @Test("gives each day once, however small the pages are", arguments: [1, 2, 3])
  func days(limit: Int) throws {
    let device = try device()
    let (id, day) = (device.id, Int64(86_400_000))
    let end = Clock.unixMilliseconds().floorDivided(by: day) * day
    let start = Timestamp(unixMilliseconds: end - 5 * day)
    try device.server.withDatabase { database in
      // Not from midnight on, so that a day's first hour is not its start.
      try await database.execute(
        """
        INSERT INTO readings_1h SELECT \(id), type, \(start) + hour * interval '1 hour', 1, 3, 4, 2
        FROM generate_series(0, 119) hour, unnest('{ph,rain}'::text[]) type WHERE hour % 24 > 5
        """)
    }
    var seen: [String] = []
    var target: String? = "\(device.path)?resolution=1d&limit=\(limit)&from=\(start)"
    while let next = target, seen.count < 20 {
      let reply = try device.client.get(next)
      seen += try items(reply).map {
        "\($0["start"]?.text ?? "") \($0["sensorType"]?.text ?? "") \($0["count"]?.integer ?? 0)"
      }
      target = reply.header("link").map { String($0.dropFirst().prefix { $0 != ">" }) }
    }
    let days = (0..<5).map { start.advanced(byMilliseconds: $0 * day) }
    #expect(seen == days.flatMap { ["\($0) ph 36", "\($0) rain 36"] })
  }

  @Test("gives numbers for buckets whose sums no double holds")
  func hugeSums() throws {
    let device = try device()
    let id = device.id
    let start = Timestamp(unixMilliseconds: (Clock.unixMilliseconds() / 86_400_000 - 1) * 86_400_000)
    try device.server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO readings_1h SELECT \(id), 'custom', \(start) + hour * interval '1 hour', 1, 1.7e308, sum, 2
        FROM unnest('{0,1,2}'::int[], '{1.7e308,1.7e308,Infinity}'::float8[]) AS b (hour, sum)
        """)
    }
    for (resolution, means) in [("1h", [8.5e307, 8.5e307, 1.7e308]), ("1d", [1.7e308])] {
      let target = "\(device.path)?resolution=\(resolution)&from=\(start)"
      #expect(try items(device.client.get(target)).map { $0["mean"]?.number } == means)
    }
  }

  @Test("refuses malformed queries", arguments: malformed)
  func refusals(query: String) throws {
    let device = try device()
    #expect(try device.client.get("\(device.path)?\(query)").status == 400)
  }

  @Test("takes no cursor of another list")
  func foreignCursor() throws {
    let device = try device()
    #expect(try device.post(device.client, Sample.series(3)).status == 200)
    let cursor = try #require(try device.client.get("\(device.path)?limit=1").json["nextCursor"]?.text)
    #expect(try device.client.get("\(device.path)?limit=1&cursor=\(cursor)").status == 200)
    #expect(try device.client.get("\(device.path)?resolution=1h&cursor=\(cursor)").problem == "invalid-cursor")
  }

  @Test(
    "is answered as what it is alone, like everything else",
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

  @Test("gives CSV to those who ask for it, and 406 to those who take neither")
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

  @Test("writes items of several types and in several pieces as they were posted, in both forms")
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

  @Test("gives an empty page in both forms")
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

  @Test("gives nobody else's readings")
  func strangers() throws {
    let (device, other) = (try device(), try device())
    #expect(try other.owner.get(device.path).status == 404)
    #expect(try other.owner.post(device.path, Sample.document(Sample.series(1))).status == 404)
    #expect(try device.owner.post(device.path, Sample.document(Sample.series(1))).receipt == [1, 0])
  }

  @Test("stream all of a garden as CSV, device by device, and page through the same as JSON")
  func ofGarden() throws {
    let device = try TestDevice(LiveServer.shared.get())
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

    var (target, rows): (String?, [String]) = (path + "&limit=400", [])
    while let page = target {
      let reply = try owner.get(page)
      #expect(reply.status == 200)
      rows += try (reply.json["items"]?.elements ?? []).map {
        "\($0["deviceId"]?.text ?? ""),soil_moisture,\($0["value"]?.integer ?? -1),\($0["measuredAt"]?.text ?? "")"
      }
      target = reply.header("link").map { String($0.dropFirst().prefix { $0 != ">" }) }
    }
    #expect(rows == Array(lines.dropFirst()))
    let limited = try owner.get(path + "&limit=2", headers: ["Accept: text/csv"])
    #expect(limited.text.split(separator: "\r\n").count == 3)
    #expect(limited.header("link") != nil)
    #expect(try Client(device.server).get(path).status == 404)
  }

  @Test("stream all of a device as CSV, more than a part has")
  func wholeDevice() throws {
    let device = try TestDevice(LiveServer.shared.get())
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

  @Test("gives days as a time zone has them, also those of 23 hours, page by page")
  func zonedDays() throws {
    let device = try TestDevice(LiveServer.shared.get())
    let id = device.id
    try device.server.withDatabase { database in
      _ = try await database.execute(
        """
        INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
        SELECT \(id), type, start, 1, 1, 1, 1
        FROM generate_series(timestamptz '2026-03-27 23:00Z', '2026-03-30 21:00Z', '1 hour') start,
          unnest(ARRAY['ec', 'ph']) type
        """)
      _ = try await database.execute("UPDATE devices SET measured_types = '{ec,ph}' WHERE id = \(id)")
    }
    var (target, rows): (String?, [String]) = (
      device.path + "?resolution=1d&timeZone=Europe/Paris&from=2026-03-27T23:00:00Z&to=2026-03-30T22:00:00Z&limit=1", []
    )
    while let page = target {
      let reply = try device.owner.get(page)
      #expect(reply.status == 200, "\(reply.text)")
      rows += try (reply.json["items"]?.elements ?? []).map {
        "\($0["start"]?.text ?? "") \($0["sensorType"]?.text ?? "") \($0["count"]?.integer ?? 0)"
      }
      target = reply.header("link").map { String($0.dropFirst().prefix { $0 != ">" }) }
    }
    #expect(
      rows == [
        "2026-03-27T23:00:00.000Z ec 24", "2026-03-27T23:00:00.000Z ph 24", "2026-03-28T23:00:00.000Z ec 23",
        "2026-03-28T23:00:00.000Z ph 23", "2026-03-29T22:00:00.000Z ec 24", "2026-03-29T22:00:00.000Z ph 24",
      ])
    for zone in ["Mars/Olympus", "a;b", "GMT%2B3", "UTC%2B3", "X5", "A%2B5", "Etc/UTC%2B3", "posix/Europe/Paris"] {
      #expect(try device.owner.get("\(device.path)?resolution=1d&timeZone=\(zone)").status == 400, "\(zone)")
    }
    for zone in ["Etc/GMT-3", "CET", "EST5EDT", "NZ-CHAT", "UTC"] {
      #expect(try device.owner.get("\(device.path)?resolution=1d&timeZone=\(zone)").status == 200, "\(zone)")
    }
    #expect(try device.owner.get("\(device.path)?timeZone=Europe/Paris").status == 400)
  }

  @Test(
    "begins a day with the first of two midnights, and one without a midnight with its first hour",
    arguments: [
      (
        "Atlantic/Azores",
        [
          "2025-10-25T00:00:00.000Z", "2025-10-26T00:00:00.000Z", "2025-10-27T01:00:00.000Z",
          "2025-10-28T01:00:00.000Z",
        ]
      ),
      (
        "America/Havana",
        [
          "2025-11-01T04:00:00.000Z", "2025-11-02T04:00:00.000Z", "2025-11-03T05:00:00.000Z",
          "2025-11-04T05:00:00.000Z",
        ]
      ),
      (
        "America/Havana",
        [
          "2026-03-07T05:00:00.000Z", "2026-03-08T05:00:00.000Z", "2026-03-09T04:00:00.000Z",
          "2026-03-10T04:00:00.000Z",
        ]
      ),
      (
        "America/Santiago",
        [
          "2026-04-03T03:00:00.000Z", "2026-04-04T03:00:00.000Z", "2026-04-05T04:00:00.000Z",
          "2026-04-06T04:00:00.000Z",
        ]
      ),
    ])
  func midnights(zone: String, starts: [String]) throws {
    let device = try TestDevice(LiveServer.shared.get())
    let (id, times) = (device.id, try starts.map { try #require(Timestamp($0)) })
    let (first, last) = (times[0], times[3])
    try device.server.withDatabase { database in
      _ = try await database.execute(
        """
        INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
        SELECT \(id), type, start, 1, 1, 1, 1
        FROM generate_series(\(first)::timestamptz, \(last)::timestamptz - interval '1 hour', '1 hour') start,
          unnest(ARRAY['ec', 'ph']) type
        """)
      _ = try await database.execute("UPDATE devices SET measured_types = '{ec,ph}' WHERE id = \(id)")
    }
    let days = (0..<3).map { day in
      ["ec", "ph"].map { "\(starts[day]) \($0) \(Int(times[day].hours(until: times[day + 1])))" }
    }
    func rows(_ from: Int, _ to: Int, _ more: String = "") throws -> [String] {
      var rows: [String] = []
      var target: String? =
        device.path + "?resolution=1d&timeZone=\(zone)&from=\(starts[from])&to=\(starts[to])\(more)"
      while let page = target, rows.count < 10 {
        let reply = try device.owner.get(page)
        rows += try (reply.json["items"]?.elements ?? []).map {
          "\($0["start"]?.text ?? "") \($0["sensorType"]?.text ?? "") \($0["count"]?.integer ?? 0)"
        }
        target = reply.header("link").map { String($0.dropFirst().prefix { $0 != ">" }) }
      }
      return rows
    }
    #expect(try rows(0, 3) == days.flatMap { $0 })
    #expect(try rows(0, 3, "&limit=1") == days.flatMap { $0 })
    for day in 0..<3 { #expect(try rows(day, day + 1) == days[day]) }
    #expect(try rows(1, 3) == days[1...].flatMap { $0 })
  }
}
