import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Gardens

@Suite("Pages of gardens", .blocking)
struct GardenPagesTests {
  @Test("are there for public gardens, with their names as text")
  func page() throws {
    let server = try LiveServer.shared.get()
    let garden = try PlantedGarden(on: server, name: "Rosa's <b>\"bed\"</b> {{main}}", isPublic: true)
    let page = try Client(server).get("/gardens/\(garden.id)")
    #expect(page.status == 200)
    #expect(page.text.contains("<h1>Rosa&#39;s &lt;b&gt;&quot;bed&quot;&lt;/b&gt; {{main}}</h1>"))
    #expect(page.text.contains("<title>Rosa&#39;s &lt;b&gt;"))
    #expect(page.header("content-security-policy")?.contains("default-src 'none'") == true)
    #expect(page.header("cache-control") == "no-cache")
  }

  @Test("show a name that looks like a placeholder of theirs as it is")
  func title() throws {
    let server = try LiveServer.shared.get()
    for name in ["{{main}}", "{{title}}", "{{script}}"] {
      let garden = try PlantedGarden(on: server, name: name, isPublic: true)
      let page = try Client(server).get("/gardens/\(garden.id)")
      #expect(page.text.contains("<title>\(name) · Terroir</title>") && page.text.contains("<h1>\(name)</h1>"))
    }
  }

  @Test("are there for a private garden's owner, and tell caches that they are private and depend on token and cookie")
  func owned() throws {
    let server = try LiveServer.shared.get()
    let (owner, _) = try server.signedIn()
    let garden = try owner.makeGarden(#"{"name":"Hidden"}"#)
    let page = try owner.get("/gardens/\(garden)")
    #expect(page.status == 200 && page.text.contains("<h1>Hidden</h1>"))
    let tag = try #require(page.header("etag"))
    let kept = try owner.get("/gardens/\(garden)", headers: ["If-None-Match: \(tag)"])
    let absent = try server.signedIn().client.get("/gardens/\(garden)")
    #expect([page, kept, absent].map(\.status) == [200, 304, 404])
    for reply in [page, kept, absent] {
      #expect(reply.header("cache-control") == "private, no-cache")
      #expect(reply.header("vary")?.contains("Authorization, Cookie") == true)
    }
    #expect(try owner.get("/gardens/\(garden)/data").header("cache-control") == "private, no-cache")
    #expect(try server.signedIn().client.get("/gardens/\(garden)/data").problem == "not-found")
  }

  @Test("reload themselves once where a link from another site brought no cookie to a garden that may be private")
  func links() throws {
    let server = try LiveServer.shared.get()
    let (owner, _) = try server.signedIn()
    let garden = "/gardens/\(try owner.makeGarden())"
    func refresh(_ client: Client, _ path: String, _ site: String) throws -> String? {
      try client.get(path, headers: ["Sec-Fetch-Site: \(site)", "Sec-Fetch-Mode: navigate"]).header("refresh")
    }
    #expect(try refresh(Client(server), garden, "cross-site") == "0; url=\(garden)?again=true")
    // Not a second time, nor where credentials came along or the browser would have sent its cookie.
    #expect(try refresh(Client(server), "\(garden)?again=true", "cross-site") == nil)
    #expect(try refresh(Client(server), garden, "same-origin") == nil)
    #expect(try refresh(Client(server), garden, "none") == nil)
    #expect(try refresh(owner, garden, "cross-site") == nil)
    #expect(try refresh(try server.signedIn().client, garden, "cross-site") == nil)
    #expect(try Client(server).get(garden).header("refresh") == nil)
  }

  @Test("state the visitor's role, so that a stranger's page does not ask for what it may not have")
  func roles() throws {
    let server = try LiveServer.shared.get()
    let (owner, _) = try server.signedIn()
    let garden = try owner.makeGarden(#"{"name":"Shown","public":true}"#)
    let member = try owner.share(garden, as: .editor, with: try server.signedIn().client)
    let expected: [(Client, String)] = [
      (owner, "owner"), (member, "editor"), (try server.signedIn().client, "none"), (Client(server), ""),
    ]
    for (client, role) in expected {
      let page = try client.get("/gardens/\(garden)")
      #expect(page.text.contains(#"data-role="\#(role)""#), "\(role)")
      #expect(page.header("cache-control") == (role.isEmpty ? "no-cache" : "private, no-cache"))
    }
  }

  @Test("are absent for unknown gardens, and for private ones if the visitor is a stranger")
  func absent() throws {
    let server = try LiveServer.shared.get()
    let garden = try PlantedGarden(on: server, name: "Hidden", isPublic: false)
    for id in ["\(garden.id)", "0190f2aa-0000-7000-8000-000000000000", "nothing"] {
      let page = try Client(server).get("/gardens/\(id)")
      #expect(page.status == 404 && page.header("content-type") == "text/html; charset=utf-8")
      #expect(!page.text.contains("Hidden"))
      // A visitor who is not signed in may be the owner whose session has ended.
      #expect(page.text.contains("/?to=/gardens/\(id)\"") == (id != "nothing"))
      let stranger = try server.signedIn().client.get("/gardens/\(id)")
      #expect(stranger.status == 404 && !stranger.text.contains("/?to="))
      #expect(try Client(server).get("/gardens/\(id)/data").problem == "not-found")
    }
  }

  @Test(
    "chart a garden's readings by day, week and month",
    arguments: [("day", 300, 289, 4), ("week", 3_600, 169, 3), ("month", 14_400, 181, 2), ("year", 86_400, 366, 1)])
  func data(range: String, step: Int, steps: Int, expected: Int) throws {
    let server = try LiveServer.shared.get()
    let garden = try PlantedGarden(on: server, name: "Charted", isPublic: true)
    let data = try Client(server).get("/gardens/\(garden.id)/data?range=\(range)").json
    #expect(data["stepSeconds"]?.integer == Int64(step))
    #expect(data["devices"]?.elements?.map(\.text) == ["\(garden.device)"])
    let series = try #require(data["series"]?.elements?.first)
    #expect(series["deviceId"]?.text == "\(garden.device)" && series["sensorType"]?.text == "ph")
    let buckets = (series["bucket"]?.elements ?? []).compactMap(\.integer)
    #expect(buckets.count == expected && buckets == buckets.sorted())
    #expect(buckets.first ?? -1 >= 0 && buckets.last ?? .max < Int64(steps))
    for member in ["mean", "min", "max", "sum"] { #expect(series[member]?.elements?.count == expected) }
    #expect(series["mean"]?.elements?.first?.number == 6.333)
    let total: Double = range == "day" ? 76 : 57
    #expect(series["sum"]?.elements?.compactMap(\.number).reduce(0, +) == total)
    #expect(data["silentAfterSeconds"]?.elements?.map(\.integer) == [900])
    #expect(series["min"]?.elements?.first?.number == 6 && series["max"]?.elements?.first?.number == 7)
  }

  @Test("do not tell strangers what the devices are called")
  func names() throws {
    let server = try LiveServer.shared.get()
    let garden = try PlantedGarden(on: server, name: "Charted", isPublic: true)
    let stranger = try server.signedIn().client
    for target in ["/gardens/\(garden.id)", "/gardens/\(garden.id)/data", "/api/gardens/\(garden.id)/latest"] {
      let reply = try stranger.get(target)
      #expect(reply.status == 200 && !reply.text.contains("Tomato bed"), "\(target)")
    }
  }

  @Test(
    "show any span in steps that a chart has room for",
    arguments: [
      (daysAgo(30), daysAgo(29), 300, daysAgo(30)), (daysAgo(30, minute: 7), daysAgo(27), 900, daysAgo(30)),
      (daysAgo(330), daysAgo(30), 86_400, daysAgo(330)),
      // Of years ago only the hours are kept.
      ("2021-01-01T00:00:00.000Z", "2021-01-01T01:00:00.000Z", 3_600, "2021-01-01T00:00:00.000Z"),
    ])
  func spans(from: String, to: String, step: Int, first: String) throws {
    let server = try LiveServer.shared.get()
    let garden = try PlantedGarden(on: server, name: "Charted", isPublic: true)
    let data = try Client(server).get("/gardens/\(garden.id)/data?from=\(from)&to=\(to)").json
    #expect(data["stepSeconds"]?.integer == Int64(step) && data["from"]?.text == first)
  }

  /// The moment `minute` minutes after the UTC midnight of `days` ago.
  private static func daysAgo(_ days: Int64, minute: Int64 = 0) -> String {
    let day = Timestamp.millisecondsPerDay
    let midnight = (Clock.unixMilliseconds().floorDivided(by: day) - days) * day
    return "\(Timestamp(unixMilliseconds: midnight + minute * 60_000))"
  }

  @Test(
    "refuse a span that is not valid",
    arguments: [
      "range=decade", "from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z",
      "from=2006-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to=0000-01-01T00:00:00Z",
      "from=9995-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
    ])
  func badSpan(query: String) throws {
    let server = try LiveServer.shared.get()
    let garden = try PlantedGarden(on: server, name: "Charted", isPublic: true)
    #expect(try Client(server).get("/gardens/\(garden.id)/data?\(query)").problem == "malformed-request")
  }
}

/// A garden with a device that has measured its pH a few times, written straight to the database.
private struct PlantedGarden {
  let id = PlantedGarden.identifier()
  let device = PlantedGarden.identifier()

  /// The readings lie in four steps of five minutes, three of an hour, two of four hours, and one of a day.
  init(on server: LiveServer, name: String, isPublic: Bool) throws {
    let (id, device, owner) = (id, device, PlantedGarden.identifier())
    try Database.standalone(DatabaseConfiguration(url: server.databaseURL), connectSeconds: 10) { database in
      _ = try await database.execute(
        """
        INSERT INTO users (id, email, email_key, display_name, password_hash, created_at, updated_at)
        VALUES (\(owner), \("\(owner)@example.org"), \("\(owner)@example.org"), 'Rosa', '-', now(), now())
        """)
      _ = try await database.execute(
        """
        INSERT INTO gardens (id, owner_id, name, public, created_at, updated_at)
        VALUES (\(id), \(owner), \(name), \(isPublic), now(), now())
        """)
      _ = try await database.execute(
        """
        INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
        VALUES (\(device), \(id), 'Tomato bed', \(device.description.utf8.map { $0 }), now(), now())
        """)
      // Counted back from the beginning of these four hours or this day, so that the steps do not depend on when the
      // test runs.
      for (table, span, minutes) in [
        ("readings_5m", "4 hours", [5, 10, 65, 125]), ("readings_1h", "1 day", [60, 120, 300]),
      ] {
        for minute in minutes {
          _ = try await database.execute(
            """
            INSERT INTO \(unescaped: table) (device_id, sensor_type, start, min, max, sum, count)
            VALUES (\(device), 'ph',
              date_bin(\(span)::text::interval, now(), '1970-01-01Z') - make_interval(mins => \(Int32(minute))), 6, 7, 19, 3)
            """)
        }
      }
    }
  }

  private static func identifier() -> Identifier { Identifier.make(unixMilliseconds: 1_700_000_000_000) }
}
