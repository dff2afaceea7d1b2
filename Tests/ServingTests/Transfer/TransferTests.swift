import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Gardens
@testable import Insights
@testable import Transfer
@testable import Web

@Suite("Export and import", .blocking, .serialized)
struct TransferTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private static let type = "application/x-ndjson"

  private func take(_ client: Client, _ file: String, dryRun: Bool = false) throws -> Reply {
    try client.send("POST", "/api/users/me/import\(dryRun ? "?dryRun=true" : "")", file, type: Self.type)
  }

  /// The lines of a user's export.
  private func export(_ client: Client) throws -> [JSONValue] {
    let reply = try client.get("/api/users/me/export")
    #expect(reply.status == 200)
    #expect(reply.header("content-type") == Self.type)
    return try reply.body.split(separator: UInt8(ascii: "\n")).map { try JSONReader.parse(Array($0)) }
  }

  /// A user who owns one of everything.
  private func owner() throws -> Client {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id, isPublic: true)
    let course: [(hoursAgo: Double, value: Double)] = (0..<300).map { place in
      let step = Double(place)
      return (step / 4 + 0.01, 12 + step / 10)
    }
    try plot.record("soil_moisture", course)
    try plot.record("air_temperature", [(1, -3.25), (2, 0)])
    #expect(try client.post("/api/gardens/\(plot.garden)/insights", #"{"type":"watering"}"#).status == 201)
    let channel = #"{"kind":"webhook","target":"https://203.0.113.7/","events":["order"]}"#
    #expect(try client.post("/api/channels", channel).status == 201)
    let (device, business, product, order) = (plot.device, plot.device, plot.garden, plot.device)
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO readings_1h VALUES (\(device), 'soil_moisture', '2025-03-01T10:00:00Z', 1, 3, 8.5, 4)
        """)
      try await database.execute(
        """
        INSERT INTO businesses (id, owner_id, name, category, description, created_at, updated_at)
        VALUES (\(business), \(id), 'Hof "Süd"', 'farm', E'two\\nlines', now(), now())
        """)
      try await database.execute(
        """
        INSERT INTO products (id, business_id, name, price_amount, currency, unit, stock, created_at, updated_at)
        VALUES (\(product), \(business), 'Kale', 250, 'EUR', 'bunch', NULL, now(), now())
        """)
      try await database.execute(
        """
        INSERT INTO orders (id, buyer_id, business_id, status, currency, total, created_at, updated_at)
        VALUES (\(order), \(id), \(business), 'delivered', 'EUR', 500, now(), now())
        """)
      try await database.execute(
        "INSERT INTO order_lines VALUES (\(order), 0, \(product), 'Kale', 'bunch', 2, 250, 500)")
    }
    return client
  }

  /// The kinds of line that an import skips.
  private static let skipped: Set = ["profile", "order", "channel"]

  /// What stays the same from one account to another: lines without ids, by kind.
  private func essence(_ lines: [JSONValue]) -> [String] {
    let changing: Set = [
      "id", "ownerId", "gardenId", "deviceId", "businessId", "exportedAt", "lastSeenAt", "evidence", "email",
    ]
    return lines.compactMap { line in
      guard case .object(let object) = line, !Self.skipped.contains(line["kind"]?.text ?? "") else { return nil }
      let kept = object.members.filter { !changing.contains($0.name) }
      return kept.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }.sorted()
  }

  private struct NoDevice: Error {}

  @Test("carry everything that is owned into another account")
  func roundTrip() throws {
    let owner = try owner()
    let lines = try export(owner)
    #expect(lines.first?["kind"]?.text == "header")
    #expect(lines.first?["schema"]?.integer == 1)
    let kinds = Dictionary(grouping: lines) { $0["kind"]?.text ?? "" }.mapValues(\.count)
    #expect(
      kinds == [
        "header": 1, "profile": 1, "garden": 1, "device": 1, "business": 1, "product": 1, "order": 1, "insight": 1,
        "reading": 302, "hour": 1, "channel": 1,
      ])
    #expect(Set(kinds.keys) == Set(LineKind.allCases.map(\.rawValue)), "the owner has one of everything")
    // A device has all its members but `online`, which is not stored.
    guard case .object(let device)? = lines.first(where: { $0["kind"]?.text == "device" }) else { throw NoDevice() }
    #expect(Set(device.members.map(\.name)) == Set(Device.members.map(\.name)).subtracting(["online"]).union(["kind"]))
    let order = lines.first { $0["kind"]?.text == "order" }
    #expect(order?["lines"]?.elements?.first?["unitPrice"]?["amount"]?.integer == 250)

    let file = try owner.get("/api/users/me/export").text
    let (other, id) = try server.signedIn()
    let trial = try take(other, file, dryRun: true)
    #expect(trial.status == 200)
    #expect(try trial.json["dryRun"]?.bool == true)
    #expect(try trial.json["created"]?["reading"]?.integer == 302)
    #expect(try export(other).count == 2)

    let reply = try take(other, file)
    #expect(reply.status == 200)
    let report = try reply.json
    #expect(report["errors"]?.elements?.isEmpty == true)
    #expect(report["created"] == (try trial.json)["created"])
    for (kind, count) in kinds where kind != "header" {
      let (taken, left) = Self.skipped.contains(kind) ? ("skipped", "created") : ("created", "skipped")
      #expect(report[taken]?[kind]?.integer == Int64(count), "\(kind)")
      #expect(report[left]?[kind] == nil, "\(kind)")
    }
    #expect(essence(try export(other)) == essence(lines))
    let told = try server.withDatabase { database in
      try await database.query(
        "SELECT FROM insights i JOIN gardens g ON g.id = i.garden_id WHERE g.owner_id = \(id) AND told"
      ).count
    }
    #expect(told == 0)

    // Importing it again makes a copy.
    #expect(try take(other, file).status == 200)
    #expect(try other.get("/api/gardens?owner=me").json["items"]?.elements?.count == 2)
    #expect(try export(other).filter { $0["kind"]?.text == "reading" }.count == 604)
  }

  private static let header = #"{"kind":"header","schema":1}"#
  private static let someID = "01890000-0000-7000-8000-000000000001"
  private static let garden = #"{"kind":"garden","id":"\#(someID)","name":"Garden"}"#
  private static let device = #"{"kind":"device","id":"\#(someID)","gardenId":"\#(someID)","name":"Probe"}"#

  @Test("refuse a file with too many gardens, or too many devices of one, at the first one too many")
  func bounds() throws {
    func line(_ kind: String, _ more: String = "") -> String {
      #"{"kind":"\#(kind)","id":"\#(Identifier.make(unixMilliseconds: 1))","name":"x"\#(more)}"#
    }
    let (owner, _) = try server.signedIn()
    for (lines, pointer) in [
      ((0...GardenInput.maximumOfOwner).map { _ in line("garden") }, "/kind"),
      (
        [Self.garden]
          + (0...DeviceInput.maximumOfGarden).map { _ in line("device", #","gardenId":"\#(Self.someID)""#) },
        "/gardenId"
      ),
    ] {
      let refused = try take(owner, ([Self.header] + lines).joined(separator: "\n"))
      #expect(refused.status == 422)
      let faults = try refused.json["errors"]?.elements ?? []
      #expect(faults.map { $0["line"]?.integer } == [Int64(lines.count) + 1])
      #expect(faults.map { $0["pointer"]?.text } == [pointer])
      #expect(try take(owner, ([Self.header] + lines.dropLast()).joined(separator: "\n"), dryRun: true).status == 200)
    }
    #expect(try export(owner).count == 2)
  }

  @Test(
    "refuse a file with one faulty line, and say which",
    arguments: [
      ([garden], 1, "/kind"), ([], 1, ""), ([header, header], 2, "/kind"),
      ([#"{"kind":"header","schema":2}"#], 1, "/schema"), ([header, garden, garden], 3, "/id"),
      ([header, garden, "{broken"], 3, ""), ([header, garden, #"{"kind":"weather"}"#], 3, "/kind"),
      ([header, garden, "[1]"], 3, "/kind"), ([header, "", "", device], 4, "/gardenId"),
      (
        [
          header, garden, device,
          #"{"kind":"reading","deviceId":"\#(someID)","sensorType":"ph","value":15,"measuredAt":"2026-01-01T00:00:00Z"}"#,
        ], 4, "/value"
      ),
      (
        [
          header, garden, device,
          #"{"kind":"reading","deviceId":"\#(someID)","sensorType":"ph","value":7,"measuredAt":"2126-01-01T00:00:00Z"}"#,
        ], 4, "/measuredAt"
      ),
      (
        [
          header, garden, device,
          #"{"kind":"hour","deviceId":"\#(someID)","sensorType":"ph","start":"2024-01-01T00:30:00Z","min":1,"max":2,"sum":3,"count":2}"#,
        ], 4, "/start"
      ),
      (
        [
          header, garden, device,
          #"{"kind":"hour","deviceId":"\#(someID)","sensorType":"ph","start":"2024-01-01T00:00:00Z","min":1,"max":2,"sum":5,"count":2}"#,
        ], 4, "/sum"
      ),
      ([header, #"{"kind":"garden","id":"\#(someID)","name":"","nmae":"x"}"#], 2, "/name"),
      ([header, #"{"kind":"garden","id":"\#(someID)","name":"x","timeZone":"Mars/Olympus"}"#, "x"], 2, "/timeZone"),
      ([header, garden, #"{"kind":"device","id":"\#(someID)","timeZone":"a\u0000/b"}"#], 3, "/gardenId"),
    ] as [([String], Int64, String)])
  func faults(lines: [String], line: Int64, pointer: String) throws {
    let (client, _) = try server.signedIn()
    let file = lines.joined(separator: "\n")
    let reply = try take(client, file)
    #expect(reply.status == 422)
    #expect(reply.problem == "validation-failed")
    let fault = try reply.json["errors"]?.elements?.first
    #expect(fault?["line"]?.integer == line)
    #expect(fault?["pointer"]?.text == pointer)
    #expect(try client.get("/api/gardens?owner=me").json["items"]?.elements?.isEmpty == true)
    let trial = try take(client, file, dryRun: true)
    #expect(trial.status == 200)
    #expect(try trial.json["errors"] == reply.json["errors"])
  }

  @Test("report all faults at once, up to a hundred")
  func manyFaults() throws {
    let (client, _) = try server.signedIn()
    let few = ([Self.header] + (0..<7).map { _ in "x" } + [Self.garden]).joined(separator: "\n")
    #expect(try take(client, few).json["errors"]?.elements?.count == 7)
    #expect(try take(client, few, dryRun: true).json["created"]?["garden"]?.integer == 1)
    let many = ([Self.header] + (0..<500).map { _ in "x" }).joined(separator: "\n")
    for reply in [try take(client, many, dryRun: true), try take(client, many)] {
      #expect(try reply.json["errors"]?.elements?.count == 100)
      #expect(try reply.json["errorCount"]?.integer == 500)
    }
    #expect(try take(client, few, dryRun: true).json["errorCount"]?.integer == 7)
  }

  @Test("take a file in once for a key, compared by its bytes")
  func key() throws {
    let (client, _) = try server.signedIn()
    let file = Self.header + "\n" + Self.garden
    func send(_ file: String, _ query: String = "") throws -> Reply {
      try client.send(
        "POST", "/api/users/me/import\(query)", file, headers: ["Idempotency-Key: once"], type: "application/x-ndjson")
    }
    #expect(try send(file, "?dryRun=true").status == 200)
    #expect(try send(file + "\nx").status == 422)
    let first = try send(file)
    #expect(first.status == 200)
    let again = try send(file)
    #expect(again.status == 200 && again.body == first.body)
    #expect(try client.get("/api/gardens?owner=me").json["items"]?.elements?.count == 1)
    #expect(try send(file + "\n").problem == "idempotency-key-reused")
    #expect(try take(client, file).status == 200)
    #expect(try client.get("/api/gardens?owner=me").json["items"]?.elements?.count == 2)
  }

  @Test("accept as many sensor types of a device as may be posted, those of hours included")
  func sensorTypes() throws {
    let (client, _) = try server.signedIn()
    let device = #""deviceId":"\#(Self.someID)""#
    let lines = (0..<65).map { index in
      index % 2 == 0
        ? #"{"kind":"reading",\#(device),"sensorType":"s\#(index)","value":1,"measuredAt":"2026-01-01T00:00:00Z"}"#
        : #"{"kind":"hour",\#(device),"sensorType":"s\#(index)","start":"2024-01-01T00:00:00Z","min":1,"max":1,"sum":2,"count":2}"#
    }
    let most = [Self.header, Self.garden, Self.device] + lines.dropLast()
    let refused = try take(client, (most + [lines[64]]).joined(separator: "\n"))
    #expect(refused.status == 422)
    let faults = try refused.json["errors"]?.elements ?? []
    #expect(faults.map { $0["line"]?.integer } == [68])
    #expect(faults.map { $0["pointer"]?.text } == ["/sensorType"])
    #expect(try take(client, (most + lines.dropLast()).joined(separator: "\n")).status == 200)
  }

  @Test("leave places to others: a user has one transfer at a time, and the rest of a faulty file needs none")
  func places() throws {
    let server = try server.replica(["WORKERS": "1", "DATABASE_TRANSACTION_CONNECTIONS": "4"])
    defer { server.stop() }
    let (client, _) = try server.signedIn()
    let (other, _) = try server.signedIn()
    func exports(_ client: Client, as status: Int, within seconds: Double = 10) throws -> Bool {
      try holds(within: seconds) { try client.get("/api/users/me/export").status == status }
    }
    struct NoPlace: Error {}
    /// Begins an import of a longer file, and waits until further transfers are refused. Begins it again if the export
    /// that tests this was there first.
    func begin(_ client: Client, refused status: Int) throws -> Wire {
      guard let token = client.token else { throw NoPlace() }
      for _ in 0..<10 {
        let wire = try Wire(port: server.port)
        try wire.send(
          """
          POST /api/users/me/import HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r\n\
          Content-Type: \(Self.type)\r\nContent-Length: 1000\r\n\r\n\(Self.header)\n
          """)
        if try exports(client, as: status, within: 2) { return wire }
      }
      throw NoPlace()
    }
    let first = try begin(client, refused: 429)
    let refusal = try client.get("/api/users/me/export")
    #expect(refusal.problem == "too-many-requests" && refusal.header("retry-after") != nil)
    #expect(try other.get("/api/users/me/export").status == 200)

    let second = try begin(other, refused: 503)
    // The server reads the rest of the faulty file, but holds no place for it.
    try second.send("x\n")
    #expect(try exports(other, as: 200))
    try first.send("x\n")
    #expect(try exports(client, as: 200))
  }

  @Test("keep readings that are too old to stay raw as hours")
  func oldReadings() throws {
    let (client, _) = try server.signedIn()
    let readings = [("10:05", 5), ("10:55", 7), ("11:00", 1)].map { time, value in
      #"{"kind":"reading","deviceId":"\#(Self.someID)","sensorType":"ph","value":\#(value),"measuredAt":"2025-01-01T\#(time):00Z"}"#
    }
    let file = ([Self.header, Self.garden, Self.device] + readings).joined(separator: "\n")
    #expect(try take(client, file).json["created"]?["reading"]?.integer == 3)
    let hours = try export(client).filter { $0["kind"]?.text == "hour" }
    let sums: [Double] = hours.compactMap { $0["sum"]?.number }
    #expect(sums.sorted() == [1, 12])
    let counts: [Int64] = hours.compactMap { $0["count"]?.integer }
    #expect(counts.sorted() == [1, 2])
  }

  @Test("keep hours whose sums are next to zero")
  func tinyHours() throws {
    let (client, _) = try server.signedIn()
    let hours = [(10, "5e-324", 2), (11, "3e-308", 1_000_000_000)].map { hour, sum, count in
      #"{"kind":"hour","deviceId":"\#(Self.someID)","sensorType":"x","start":"2025-01-01T\#(hour):00:00Z","#
        + #""min":0,"max":1,"sum":\#(sum),"count":\#(count)}"#
    }
    let file = ([Self.header, Self.garden, Self.device] + hours).joined(separator: "\n")
    let reply = try take(client, file)
    #expect(reply.status == 200, "\(reply.text)")
    let sums = try export(client).filter { $0["kind"]?.text == "hour" }.compactMap { $0["sum"]?.number }
    #expect(sums.sorted() == [.leastNonzeroMagnitude, 3e-308])
  }

  @Test("carry the hours whose raw readings are gone, however young they are, and no others")
  func youngHours() throws {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("ph", [(50.5, 6.5)])
    let device = plot.device
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
        SELECT device_id, sensor_type, date_trunc('hour', measured_at) - age * interval '1 hour', 6, 7, 6.5 * n, n
        FROM all_readings, (VALUES (0, 1), (50, 60)) AS hours (age, n) WHERE device_id = \(device)
        ON CONFLICT DO NOTHING
        """)
    }
    func carried(_ client: Client) throws -> [String] {
      try export(client).compactMap { line in
        switch line["kind"]?.text {
        case "hour": "hour of \(line["count"]?.integer ?? 0)"
        case "reading": "reading"
        default: nil
        }
      }
    }
    #expect(try carried(client) == ["reading", "hour of 60"])
    let (other, _) = try server.signedIn()
    #expect(try take(other, client.get("/api/users/me/export").text).status == 200)
    #expect(try carried(other) == ["reading", "hour of 60"])
  }

  @Test("roll raw readings up")
  func rollup() throws {
    let (client, id) = try server.signedIn()
    let now = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
    let reading =
      #"{"kind":"reading","deviceId":"\#(Self.someID)","sensorType":"ph","value":6.5,"measuredAt":"\#(now.advanced(byHours: -3))"}"#
    let file = [Self.header, Self.garden, Self.device, reading, reading].joined(separator: "\n")
    let report = try take(client, file).json
    #expect(report["created"]?["reading"]?.integer == 1)
    #expect(report["skipped"]?["reading"]?.integer == 1)
    let isRolledUp = try holds(within: 15) {
      try server.withDatabase { database in
        try await database.query(
          """
          SELECT 1 FROM readings_5m r JOIN devices d ON d.id = r.device_id JOIN gardens g ON g.id = d.garden_id
          WHERE g.owner_id = \(id)
          """
        ).count == 1
      }
    }
    #expect(isRolledUp)
  }

  @Test("break an export off if Postgres ends its transaction in a deadlock, and do not begin the file once more")
  func deadlock() throws {
    // With a database of its own, whose tables the test may lock.
    let own = try LiveServer()
    defer { own.stop() }
    let (port, token) = (own.port, try own.signedIn().client.token)
    #expect(throws: WireError.self) {
      // The export has read the users and waits for the products. It is ended because it waits the longest.
      try own.answer(
        to: { try Client(port: port, token: token).get("/api/users/me/export") },
        before: { try await $0.execute("LOCK TABLE products IN ACCESS EXCLUSIVE MODE") },
        meanwhile: { try await $0.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE") })
    }
    #expect(holds { own.log.lines.contains { $0.contains("An export was cut short") && $0.contains("40P01") } })
  }

  @Test("are for signed-in users, as NDJSON")
  func refusals() throws {
    #expect(try Client(server).get("/api/users/me/export").status == 401)
    #expect(try take(Client(server), Self.header).status == 401)
    let (client, _) = try server.signedIn()
    #expect(try client.post("/api/users/me/import", Self.header).status == 415)
    #expect(try client.send("POST", "/api/users/me/import?dryRun=yes", Self.header, type: Self.type).status == 400)
    let long = Self.header + "\n" + String(repeating: "x", count: BodyLines.maximumBytes + 10)
    #expect(try take(client, long).status == 413)
  }
}
