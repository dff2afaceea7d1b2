import Faults
import Glibc
import Postgres
import Reactor
import Synchronization
import Testing
import Values

/// Postgres continues a statement whose connection is lost; the retry then meets the first attempt.
@Suite("Readings whose storing is in doubt", .blocking)
struct DoubtfulReadingsTests {
  private let proxy: Proxy
  private let server: LiveServer
  /// The URL of the database past the proxy.
  private let url: String

  init() throws {
    url = try TestDatabase.makeMigrated()
    proxy = try Proxy(before: url)
    server = try LiveServer([
      "DATABASE_URL": proxy.url(for: url), "DATABASE_STATEMENT_TIMEOUT_MILLISECONDS": "20000", "WORKERS": "1",
      "DATABASE_WRITERS": "1",
    ])
    try direct { database in
      try await database.transaction { transaction in
        try await transaction.script(
          """
          CREATE TABLE gates (value float8);
          CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN
            WHILE EXISTS (SELECT 1 FROM gates WHERE value = NEW.value) LOOP PERFORM pg_sleep(0.01); END LOOP;
            RETURN NEW;
          END $$;
          CREATE TRIGGER wait AFTER INSERT ON readings FOR EACH ROW EXECUTE FUNCTION wait();
          INSERT INTO gates VALUES (11), (17);
          """)
      }
    }
  }

  @Test("are acknowledged as new, and shown to readers, once the retry of a part of their batch is answered")
  func parts() throws {
    defer { end() }
    let devices = try devices(3)
    let senders = try lose(Array(devices[1...]), behind: devices[0])
    try direct { database in
      let whole = try await Self.wait(for: "transactionid", database)
      try await Self.wait(for: "transactionid", database, "AND query_start > '\(whole)'")
      try await database.execute("DELETE FROM gates")
    }
    #expect(try senders.map { try $0.reply().receipt } == [[1, 0], [1, 0]])
    for (index, device) in devices[1...].enumerated() { #expect(try latest(device) == [17 + Double(index)]) }
  }

  @Test("are shown to readers as soon as they are stored, although the retry was refused; watchers are told of a gap")
  func alone() throws {
    defer { end() }
    let devices = try devices(2)
    let stream = try devices[1].watch()
    #expect(try stream.nextPart()?.id.isEmpty == false)
    func mark() throws -> Int64 {
      try direct { try await $0.commitMark() }
    }
    let before = try mark()
    let senders = try lose([devices[1]], behind: devices[0])
    #expect(try senders.map { try $0.reply().status } == [503])
    // Readers that ask before they are stored must not keep what was before, so Postgres announces them too.
    #expect(try holds { try mark() != before })
    try direct { database in
      try await database.execute("DELETE FROM gates")
      while try await database.query("SELECT 1 FROM readings WHERE value = 17").isEmpty {
        await database.loop.sleep(nanoseconds: 5_000_000)
      }
    }
    #expect(try holds(within: 10) { try latest(devices[1]) == [17] })
    let next = Sample(value: 18, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds()))
    #expect(try holds(within: 10) { try devices[1].post(devices[1].client, [next]).status == 200 })
    #expect(try stream.take(2).map(\.name) == ["gap", "reading"])
  }

  // MARK: What happens

  /// Has each of `devices` send a reading. They are stored in one batch behind the blocker's reading; the connection is
  /// lost while it is being stored.
  private func lose(_ devices: [TestDevice], behind blocker: TestDevice) throws -> [Sender] {
    let idle = try server.requestsInProgress()
    let first = try Sender(blocker, 11)
    try direct { try await Self.wait(for: "PgSleep", $0) }
    let senders = try devices.enumerated().map { try Sender($1, Double(17 + $0)) }
    #expect(try holds { try server.requestsInProgress() >= idle + 1 + devices.count })
    // Once these are answered, the requests before them have been handled.
    for _ in 0..<5 { _ = try blocker.client.get("/api/device") }
    try direct { try await $0.execute("DELETE FROM gates WHERE value = 11") }
    #expect(try first.reply().status == 200)
    try direct { try await Self.wait(for: "PgSleep", $0) }
    proxy.become(.refuse)
    usleep(50_000)
    proxy.become(.forward)
    return senders
  }

  /// Waits until a statement waits for `event`; returns when the statement was sent.
  @discardableResult
  private static func wait(for event: String, _ database: Database, _ more: String = "") async throws -> String {
    while true {
      let rows = try await database.query(
        """
        SELECT query_start::text FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = \(event) \(unescaped: more)
        """)
      if let row = rows.first { return try row.decode(String.self, 0) }
      await database.loop.sleep(nanoseconds: 5_000_000)
    }
  }

  /// Devices whose latest reading, as clients see it, is a 1.
  private func devices(_ count: Int) throws -> [TestDevice] {
    let devices = try (0..<count).map { _ in try TestDevice(server) }
    for device in devices {
      let sample = Sample(value: 1, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds() - 60_000))
      #expect(try device.post(device.client, [sample]).status == 200)
      #expect(try holds { try latest(device) == [1] })
    }
    return devices
  }

  private func latest(_ device: TestDevice) throws -> [Double] {
    let items = try device.owner.get("/api/gardens/\(device.garden)/latest").json["items"]?.elements ?? []
    return items.compactMap { $0["value"]?.number }
  }

  @discardableResult
  private func direct<Value>(_ body: @escaping (Database) async throws -> Value) throws -> Value {
    try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 60, body)
  }

  private func end() {
    server.stop()
    proxy.become(.stop)
  }

  /// Posts a reading on a thread of its own.
  private final class Sender: Sendable {
    private let answer: Answer
    private let thread: SystemThread

    private final class Answer: Sendable { let reply = Mutex<Reply?>(nil) }

    init(_ device: TestDevice, _ value: Double) throws {
      let sample = Sample(value: value, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds() - 1_000))
      let answer = Answer()
      self.answer = answer
      thread = try SystemThread(name: "sender") {
        let reply = try? device.post(device.client, [sample])
        answer.reply.withLock { $0 = reply }
      }
    }

    /// Waits for the answer; must be called once.
    func reply() throws -> Reply {
      thread.join()
      return try #require(answer.reply.withLock { $0 })
    }
  }
}
