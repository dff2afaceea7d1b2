import Agronomy
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

  @Test("that fall silent is put also into a channel that orders have filled, and news of their return is not")
  func filled() throws {
    let (client, id) = try news.server.signedIn()
    let plot = try Plot(news.server, owner: id)
    let told = try news.channel(client)
    let channel = try #require(told["id"]?.text.flatMap { Identifier($0) })
    func see(minutesAgo minutes: Int) throws {
      try news.server.withDatabase { database in
        try await database.execute(
          """
          UPDATE devices SET last_seen_at = now() - make_interval(mins => \(minutes)::integer), silence_due_at = now()
          WHERE id = \(plot.device)
          """)
      }
    }
    /// Whether it is known that the device is silent.
    func isSilent() throws -> Bool {
      try news.server.withDatabase { database in
        try await !database.query(
          "SELECT FROM devices WHERE id = \(plot.device) AND silence_told_at IS NOT NULL"
        ).isEmpty
      }
    }
    try news.server.withDatabase { database in
      // A pause: what is put into the channel stays there.
      try await database.execute(
        "UPDATE channels SET next_attempt_at = now() + interval '1 hour' WHERE id = \(channel)")
      try await database.execute(
        """
        INSERT INTO deliveries (id, channel_id, event, type, severity, title, text, data, created_at)
        SELECT gen_random_uuid(), \(channel), 'order', 'order.placed', 'notice', 'An order', 'An order', '{}', now()
        FROM generate_series(1, \(Outbox.maximumWaiting)::integer)
        """)
    }
    try see(minutesAgo: 20)
    #expect(try holds(within: 60) { try isSilent() })
    try see(minutesAgo: 0)
    #expect(try holds(within: 60) { try !isSilent() })
    let types = try news.server.withDatabase { database in
      try await database.query(
        "SELECT type FROM deliveries WHERE channel_id = \(channel) AND type <> 'order.placed'"
      ).map { try $0.decode(String.self, 0) }
    }
    #expect(types == ["device.silent"])
  }

  @Test("does not report a device as silent whose report may have come this very moment")
  func justInTime() throws {
    let (_, id) = try news.server.signedIn()
    let garden = try Plot(news.server, owner: id).garden
    let span = OnlineSpan.shortestSeconds
    // Whenever the watch looks, the span of some of them has just ended.
    try news.server.withDatabase { database in
      try await database.execute("UPDATE device_watch SET since = 'epoch'")
      try await database.execute(
        """
        INSERT INTO devices (id, garden_id, name, key_hash, last_seen_at, created_at, updated_at)
        SELECT gen_random_uuid(), \(garden), 'Late ' || n, sha256(gen_random_uuid()::text::bytea),
          now() - (\(span) - n) * interval '1 second', now(), now()
        FROM generate_series(-10, 15) n
        """)
    }
    /// How many are known as silent, and the shortest silence after which that was told, in seconds.
    func silences() throws -> (Int, Double?) {
      try news.server.withDatabase { database in
        try await database.query(
          """
          SELECT count(silence_told_at), min(extract(epoch FROM silence_told_at - last_seen_at))::float8 FROM devices
          WHERE garden_id = \(garden) AND name LIKE 'Late %'
          """)[0].decode((Int.self, Double?.self))
      }
    }
    #expect(try holds { try silences().0 == 26 })
    let shortest = try #require(try silences().1)
    #expect(shortest >= Double(span) + 10)
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
