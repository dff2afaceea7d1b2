import Agronomy
import Postgres
import Testing
import Values

@testable import Gardens
@testable import Notifications

/// Beside `DeviceNewsTests`, whose tests run one after another: each waits for the watch several times.
@Suite("The silence of a device", .blocking)
struct DeviceSilenceTests {
  private static let opened = Result { try Newsroom.open() }
  private let news: Newsroom

  init() throws { news = try Self.opened.get() }

  @Test("is told also to a channel that orders have filled, and its end is not")
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

  @Test("is not told while the report that ends it may be on its way")
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
}
