import JSON
import Postgres
import Testing
import Values

@testable import Gardens
@testable import Notifications

@Suite("News of devices", .blocking, .serialized)
struct DeviceNewsTests {
  private static let opened = Result { try Newsroom.open() }
  private let news: Newsroom

  init() throws { news = try Self.opened.get().fresh() }

  @Test("that fall silent is sent once, and so is news of their return")
  func devices() throws {
    let (client, id) = try news.server.signedIn()
    let plot = try Plot(news.server, owner: id)
    #expect(try client.patch("/api/devices/\(plot.device)", #"{"timeZone":"Asia/Tokyo"}"#).status == 200)
    let told = try news.channel(client, events: #"["device"]"#)
    func see(minutesAgo minutes: Int) throws {
      try news.server.withDatabase { database in
        try await database.execute(
          """
          UPDATE devices SET last_seen_at = now() - make_interval(mins => \(minutes)::integer), silence_due_at = now()
          WHERE id = \(plot.device)
          """)
      }
    }
    try see(minutesAgo: 20)
    #expect(holds(within: 60) { news.received().count == 1 })
    let message = try #require(news.received().first).json
    #expect(message["type"]?.text == "device.silent")
    #expect(message["data"]?["name"]?.text == "North bed")
    let (title, text) = try news.server.withDatabase { database in
      var columns = try await database.query(
        "SELECT title, text FROM deliveries WHERE data ->> 'id' = \("\(plot.device)")")[0].columns
      return (try columns.next(String.self), try columns.next(String.self))
    }
    #expect(title == "Kitchen garden: North bed is silent")
    #expect(text.hasSuffix("(Asia/Tokyo)."))
    try see(minutesAgo: 0)
    #expect(holds(within: 60) { news.received().count == 2 })
    #expect(try news.received().last?.json["type"]?.text == "device.back")
    #expect(try news.deliveries(client, told).map { $0.0 } == ["device.back", "device.silent"])
    let listed = try client.get("\(news.path(told))/deliveries").json["items"]?.elements
    #expect(listed?.first?["title"]?.text == "Kitchen garden: North bed is back")
  }

  @Test("does not report a silence in which no server listened, until one has listened for as long")
  func outage() throws {
    let (client, id) = try news.server.signedIn()
    let plot = try Plot(news.server, owner: id)
    let told = try news.channel(client, events: #"["device"]"#)
    /// Changes the state of the watch and has the device looked at again.
    func look(_ watch: SQL) throws {
      try news.server.withDatabase { database in
        try await database.transaction { transaction in
          // The watch before the device, so that no look comes between.
          try await transaction.execute("UPDATE device_watch SET \(watch)")
          try await transaction.execute(
            """
            UPDATE devices SET last_seen_at = now() - interval '40 minutes', silence_due_at = 'epoch'
            WHERE id = \(plot.device)
            """)
        }
      }
    }
    func isLookedAt() throws -> Bool {
      try news.server.withDatabase { database in
        try await !database.query("SELECT FROM devices WHERE id = \(plot.device) AND silence_due_at > now()").isEmpty
      }
    }
    try look("checked_at = now() - interval '40 minutes'")
    #expect(try holds { try isLookedAt() })
    #expect(try news.deliveries(client, told).isEmpty)
    try look("since = now() - interval '40 minutes'")
    #expect(try holds { try isLookedAt() })
    #expect(try news.deliveries(client, told).map { $0.0 } == ["device.silent"])
  }

  @Test("is sent again although a server once looked with a clock that was ahead")
  func clockAhead() throws {
    let (client, id) = try news.server.signedIn()
    let plot = try Plot(news.server, owner: id)
    let told = try news.channel(client, events: #"["device"]"#)
    try news.server.withDatabase { database in
      try await database.transaction { transaction in
        try await transaction.execute("UPDATE device_watch SET since = now() + interval '2 days', checked_at = now()")
        try await transaction.execute(
          """
          UPDATE devices SET last_seen_at = now() + interval '2 days', silence_due_at = now() + interval '2 days',
            silence_told_at = now() + interval '2 days'
          WHERE id = \(plot.device)
          """)
      }
    }
    #expect(
      try holds(within: 60) {
        try news.server.withDatabase { database in
          try await database.query(
            """
            SELECT since <= now() AND last_seen_at <= now() AND silence_told_at <= now()
              AND silence_due_at <= now() + interval '1 hour'
            FROM device_watch, devices WHERE devices.id = \(plot.device)
            """)[0].decode(Bool.self, 0)
        }
      })
    // Since the owner was told that it is silent, they are told that it is back.
    try news.server.withDatabase { database in
      try await database.execute("UPDATE device_watch SET since = 'epoch'")
      try await database.execute(
        "UPDATE devices SET last_seen_at = now(), silence_due_at = now() WHERE id = \(plot.device)")
    }
    #expect(try holds(within: 60) { try news.deliveries(client, told).map { $0.0 } == ["device.back"] })
  }

  @Test("that fall silent at once is written for each of them, in several short transactions")
  func manyDevices() throws {
    let (client, id) = try news.server.signedIn()
    let plot = try Plot(news.server, owner: id)
    let told = try news.channel(client, events: #"["device"]"#)
    let count = 2 * DeviceWatch.newsPerRun + 5
    try news.server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO devices (id, garden_id, name, key_hash, last_seen_at, created_at, updated_at)
        SELECT gen_random_uuid(), \(plot.garden), 'Probe ' || n, sha256(gen_random_uuid()::text::bytea),
          now() - interval '20 minutes', now(), now()
        FROM generate_series(1, \(count)) n
        """)
    }
    let channelID = try #require(told["id"]?.text.flatMap { Identifier($0) })
    func silences(_ counted: SQL) throws -> Int {
      try news.server.withDatabase { database in
        try await database.query(
          "SELECT count(\(counted)) FROM deliveries WHERE channel_id = \(channelID) AND type = 'device.silent'"
        )[0].decode(Int.self, 0)
      }
    }
    #expect(try holds { try silences("*") == count })
    #expect(try silences("DISTINCT data ->> 'id'") == count)
    #expect(try silences("DISTINCT created_at") >= 3)
  }
}
