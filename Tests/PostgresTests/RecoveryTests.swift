import Faults
import Glibc
import Postgres
import Reactor
import Testing

@Suite("When the server goes away", .serialized)
struct RecoveryTests {
  private static let milliseconds: UInt64 = 1_000_000
  /// How long work that need not wait may take on a busy machine, in milliseconds; no more than the timeouts of
  /// `TestDatabase`.
  private static let patience = 10_000

  /// Milliseconds that `body` takes.
  private static func time(_ body: () async throws -> Void) async rethrows -> Int {
    let start = Clock.monotonic()
    try await body()
    return Int((Clock.monotonic() - start) / milliseconds)
  }

  /// Waits until a read succeeds and the database is usable; returns how many milliseconds that took.
  private static func heal(_ database: Database) async throws -> Int {
    try await time {
      for _ in 0..<2_000 {
        if (try? await database.query("SELECT 1")) != nil, database.isUsable { return }
        await database.loop.sleep(nanoseconds: 5 * milliseconds)
      }
      throw PostgresTestError.notHealed
    }
  }

  /// Waits until all connections that are opened without demand are ready: a database is usable with the first of each
  /// kind.
  private static func waitForAll(_ database: Database) async throws {
    let configuration = database.configuration
    let all = configuration.readers + configuration.writers + min(1, configuration.transactionConnections)
    for _ in 0..<4_000 {
      let counts = database.connectionCounts
      if counts.connecting == 0, counts.active + counts.idle >= all { return }
      await database.loop.sleep(nanoseconds: 5 * milliseconds)
    }
    throw PostgresTestError.notHealed
  }

  /// Waits until every connection is lost.
  private static func waitForNone(_ database: Database) async throws {
    for _ in 0..<4_000 {
      let counts = database.connectionCounts
      if counts.active + counts.idle == 0 { return }
      await database.loop.sleep(nanoseconds: 5 * milliseconds)
    }
    throw PostgresTestError.notLost
  }

  /// Waits until the server runs `count` sleeping statements that call their result `name`.
  private static func waitForSleepers(_ count: Int, _ name: String, _ database: Database) async throws {
    for _ in 0..<4_000 {
      let sleepers = try await database.query(
        "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE \("% AS " + name)")
      if sleepers.count == count { return }
      await database.loop.sleep(nanoseconds: 5 * milliseconds)
    }
    throw PostgresTestError.notAsleep
  }

  enum PostgresTestError: Error { case notHealed, notLost, notAsleep }

  @Test("terminated backends under load cost no read, and the connections come back")
  func terminated() async throws {
    let (failures, healed, counts) = try await TestDatabase.run({ $0.readers = 3 }) { database in
      let read = Statement("test.read", "SELECT $1 + 1, pg_sleep(0.001)")
      // The reads of the terminated connections need one that stays.
      try await Self.waitForAll(database)
      let pids = try await concurrently(12, on: database.loop) { _ in
        try await database.query("SELECT pg_backend_pid(), pg_sleep(0.02)")[0].decode(Int.self, 0)
      }.map { try $0.get() }
      let victims = Array(Set(pids).prefix(2))
      var isTerminated = false
      let results = await concurrently(300, on: database.loop) { index in
        if index == 150 {
          for pid in victims {
            isTerminated = try await database.write("SELECT pg_terminate_backend(\(Int32(pid)))")[0].decode(
              Bool.self, 0)
          }
        }
        return try await database.query(read, Int64(index))[0].decode(Int.self, 0) == index + 1
      }
      let failures = results.compactMap { if case .failure(let error) = $0 { "\(error)" } else { nil } }
      let healed = try await Self.heal(database)
      try await Self.waitForAll(database)
      return (failures + (isTerminated ? [] : ["not terminated"]), healed, database.connectionCounts)
    }
    #expect(failures == [])
    #expect(healed < Self.patience)
    #expect(counts.active + counts.idle == 6 && counts.connecting == 0)
  }

  @Test("a database is usable with its first connection, and opens the others later by itself")
  func openingPause() async throws {
    let (early, late) = try await TestDatabase.run({ $0.writers = 0 }) { database in
      let early = database.connectionCounts
      try await Self.waitForAll(database)
      return (early, database.connectionCounts)
    }
    #expect(early.idle == 1 && early.connecting == 0)
    #expect(late.idle == 3 && late.connecting == 0)
  }

  @Test("a connection attempt that makes progress succeeds, however long all its steps take together")
  func slowSteps() async throws {
    let proxy = try Proxy(before: TestDatabase.url())
    defer { proxy.become(.stop) }
    proxy.delayAnswers(milliseconds: 400)
    let answers = try await TestDatabase.run(url: proxy.url(for: TestDatabase.url()), connectSeconds: 20) {
      ($0.readers, $0.writers, $0.transactionConnections, $0.connectTimeoutMilliseconds) = (1, 0, 1, 1_500)
      $0.transactionWaitMilliseconds = 1_000
    } _: { database in
      let read = try await database.query("SELECT 1")[0].decode(Int.self, 0)
      // The transaction's connection is opened only now; the bound on waiting for a busy one does not apply to that.
      return [read, try await database.transaction { try await $0.query("SELECT 2")[0].decode(Int.self, 0) }]
    }
    #expect(answers == [1, 2])
  }

  @Test("a write that is cut off has an unknown outcome; a read, or a transaction before its commit, does not")
  func cutOff() async throws {
    let proxy = try Proxy(before: TestDatabase.url())
    defer { proxy.become(.stop) }
    let errors = try await TestDatabase.run(url: proxy.url(for: TestDatabase.url())) { database in
      // One reader must be free while the other waits.
      try await Self.waitForAll(database)
      try await database.transaction { _ = try await $0.query("SELECT 1") }
      let results = await concurrently(4, on: database.loop) { index in
        switch index {
        case 0: try await database.execute("SELECT pg_sleep(5) AS cut")
        case 1: try await database.transaction { try await $0.execute("SELECT pg_sleep(5) AS cut") }
        case 2: _ = try await database.query("SELECT pg_sleep(5) AS cut")
        default:
          try await Self.waitForSleepers(3, "cut", database)
          proxy.become(.refuse)
        }
      }
      return results.map { result in
        if case .failure(let error as PostgresError) = result { return "\(error.kind) \(error.outcomeIsUnknown)" }
        return "fine"
      }
    }
    #expect(errors == ["unavailable true", "unavailable false", "unavailable false", "fine"])
  }

  @Test("everything fails at once while connections are refused, and the database recovers afterwards")
  func refused() async throws {
    let proxy = try Proxy(before: TestDatabase.url())
    defer { proxy.become(.stop) }
    let (states, kinds, slowest, healed) = try await TestDatabase.run(url: proxy.url(for: TestDatabase.url())) {
      database in
      var states: [Bool] = []
      database.onStateChange = { states.append($0) }
      proxy.become(.refuse)
      try await Self.waitForNone(database)
      var kinds = Set<String>()
      var slowest = 0
      for _ in 0..<20 {
        slowest = max(
          slowest,
          await Self.time {
            for error in [
              await postgresError { _ = try await database.query("SELECT 1") },
              await postgresError { try await database.execute("SELECT 1") },
              await postgresError { try await database.transaction { _ = try await $0.query("SELECT 1") } },
            ] { kinds.insert("\(error?.kind as PostgresError.Kind?)") }
          })
        // Long enough for several attempts to connect, none of which makes a statement wait or counts as a recovery.
        await database.loop.sleep(nanoseconds: 100 * Self.milliseconds)
      }
      proxy.become(.forward)
      return (states, kinds, slowest, try await Self.heal(database))
    }
    #expect(states == [false])
    #expect(kinds == ["Optional(Postgres.PostgresError.Kind.unavailable)"])
    #expect(slowest < Self.patience)
    #expect(healed < Self.patience)
  }

  @Test("a frozen server is noticed within the deadline, statements then fail fast, and the database recovers")
  func frozen() async throws {
    let proxy = try Proxy(before: TestDatabase.url())
    defer { proxy.become(.stop) }
    let (first, fast, healed) = try await TestDatabase.run(
      url: proxy.url(for: TestDatabase.url()),
      {
        ($0.statementTimeoutMilliseconds, $0.graceMilliseconds, $0.probeTimeoutMilliseconds) = (1_500, 500, 500)
        $0.connectTimeoutMilliseconds = 1_000
      }
    ) { database in
      try await database.transaction { _ = try await $0.query("SELECT 1") }
      proxy.become(.freeze)
      // The deadlines count from this turn's beginning, which may be a while ago on a busy machine.
      let turn = database.loop.now
      let results = await concurrently(30, on: database.loop) { index in
        if index % 3 == 0 { try await database.execute("SELECT 1") }
        if index % 3 == 1 { _ = try await database.query("SELECT 1") }
        if index % 3 == 2 { try await database.transaction { _ = try await $0.query("SELECT 1") } }
      }
      for result in results { if case .success = result { throw PostgresTestError.notHealed } }
      let first = Int((Clock.monotonic() - turn) / Self.milliseconds)
      try await Self.waitForNone(database)
      let fast = await Self.time {
        _ = await postgresError { _ = try await database.query("SELECT 1") }
        _ = await postgresError { try await database.execute("SELECT 1") }
        _ = await postgresError { try await database.transaction { _ = try await $0.query("SELECT 1") } }
      }
      proxy.become(.forward)
      return (first, fast, try await Self.heal(database))
    }
    #expect((1_800..<5_000).contains(first))
    // Less than a single statement would have waited.
    #expect(fast < 1_500)
    #expect(healed < Self.patience)
  }

  @Test("a frozen server delays a transaction by its own timeout, not by that of a longer one before it")
  func frozenBehindLonger() async throws {
    let proxy = try Proxy(before: TestDatabase.url())
    defer { proxy.become(.stop) }
    let (kind, took) = try await TestDatabase.run(
      url: proxy.url(for: TestDatabase.url()),
      { ($0.transactionConnections, $0.statementTimeoutMilliseconds, $0.graceMilliseconds) = (1, 1_500, 500) }
    ) { database in
      try await database.transaction(timeoutMilliseconds: 60_000) { _ = try await $0.query("SELECT 1") }
      proxy.become(.freeze)
      var kind: PostgresError.Kind?
      let took = await Self.time {
        kind = await postgresError { try await database.transaction { _ = try await $0.query("SELECT 1") } }?.kind
      }
      return (kind, took)
    }
    #expect(kind == .timeout)
    #expect(took < 30_000)
  }

  @Test("a frozen server delays a read by its own timeout, even when one that timed out sends another")
  func frozenBeforeAnother() async throws {
    let proxy = try Proxy(before: TestDatabase.url())
    defer { proxy.become(.stop) }
    let ends = try await TestDatabase.run(
      url: proxy.url(for: TestDatabase.url()),
      {
        ($0.readers, $0.statementTimeoutMilliseconds, $0.graceMilliseconds) = (1, 1_500, 500)
        $0.probeTimeoutMilliseconds = 60_000
      }
    ) { database in
      let (loop, statement) = (database.loop, Statement("test.frozen", "SELECT 1"))
      var ends: [String: UInt64] = [:]
      let done = Pending<Void>()
      func read(_ name: String, then next: @escaping () -> Void = {}) {
        database.prepared(statement).rows { _ in
          ends[name] = loop.now
          next()
          if ends.count == 4 { done.complete(.success(())) }
        }
      }
      proxy.become(.freeze)
      // Two reads at once, so that their silence does not prove the connection dead, and one due 300 ms after them.
      read("first") { read("following") }
      read("beside")
      await loop.sleep(nanoseconds: 300 * Self.milliseconds)
      read("second")
      try await done.value()
      return ends
    }
    #expect(try #require(ends["second"]) < #require(ends["following"]))
  }

  @Test("suspected connections are probed, and stay open when they answer")
  func suspicion() async throws {
    let counts = try await TestDatabase.run { database in
      try await Self.waitForAll(database)
      database.suspect()
      let sleeper = try await database.query("SELECT 1").count
      // Longer than the probes' timeout, at which nothing must happen.
      await database.loop.sleep(nanoseconds: 1_300 * Self.milliseconds)
      return (sleeper, database.connectionCounts)
    }
    #expect(counts.0 == 1)
    #expect(counts.1.idle == 5 && counts.1.connecting == 0)
  }

  @Test("a long transaction outlives a suspicion")
  func longTransaction() async throws {
    let count = try await TestDatabase.run({ $0.probeTimeoutMilliseconds = 300 }) { database in
      try await concurrently(2, on: database.loop) { index in
        if index == 0 {
          return try await database.transaction { try await $0.query("SELECT pg_sleep(2) AS unsuspecting").count }
        }
        try await Self.waitForSleepers(1, "unsuspecting", database)
        database.suspect()
        return 1
      }.reduce(0) { try $0 + $1.get() }
    }
    #expect(count == 2)
  }

  @Test("an idle connection that is dead is dropped, and casts no suspicion on one that is busy")
  func deadIdle() async throws {
    let proxy = try Proxy(before: TestDatabase.url(), marks: ["AS marked"])
    defer { proxy.become(.stop) }
    let (counts, lost) = try await TestDatabase.run(
      url: proxy.url(for: TestDatabase.url()),
      { ($0.readers, $0.writers, $0.transactionConnections, $0.probeTimeoutMilliseconds) = (2, 0, 0, 300) }
    ) { database in
      try await Self.waitForAll(database)
      var lost = 0
      database.onConnectionError = { _ in lost += 1 }
      let counts = await concurrently(2, on: database.loop) { index in
        // Keeps one connection busy, so that the other runs what comes next.
        if index == 0 { return try await database.query("SELECT pg_sleep(3)").count }
        _ = try await database.query("SELECT 1 AS marked")
        proxy.become(.freezeMarked)
        await database.loop.sleep(nanoseconds: 100 * Self.milliseconds)
        database.suspectIdle()
        return 1
      }
      return (try counts.map { try $0.get() }, lost)
    }
    #expect(counts == [1, 1])
    #expect(lost == 1)
  }

  @Test("a suspected frozen server is given up within the probe's timeout")
  func suspectedFrozen() async throws {
    let proxy = try Proxy(before: TestDatabase.url())
    defer { proxy.become(.stop) }
    let (took, healed) = try await TestDatabase.run(
      url: proxy.url(for: TestDatabase.url()),
      {
        ($0.statementTimeoutMilliseconds, $0.probeTimeoutMilliseconds, $0.connectTimeoutMilliseconds) = (
          30_000, 300, 1_000
        )
      }
    ) { database in
      proxy.become(.freeze)
      let took = await Self.time {
        database.suspect()
        _ = await postgresError { _ = try await database.query("SELECT 1") }
      }
      proxy.become(.forward)
      return (took, try await Self.heal(database))
    }
    #expect(took < Self.patience)
    #expect(healed < Self.patience)
  }

  @Test("a wrong password is refused without being shown")
  func wrongPassword() async throws {
    let url = try TestDatabase.url()
    let wrong = url.replacing(/:[^:@\/]+@/, with: ":wr0ng-Secret@")
    await #expect {
      try await TestDatabase.run(url: wrong, connectSeconds: 3) { _ in }
    } throws: { error in
      guard let error = error as? PostgresError else { return false }
      return error.kind == .unavailable && error.message.contains("password") && !"\(error)".contains("wr0ng-Secret")
    }
  }

  @Test("a session whose settings the server refuses is not used, and the error names the setting")
  func refusedSettings() async throws {
    await #expect {
      try await TestDatabase.run(connectSeconds: 3, { $0.idleTransactionTimeoutMilliseconds = 1 << 32 }) { _ in }
    } throws: { error in
      guard let error = error as? PostgresError else { return false }
      return error.kind == .unavailable && error.message.contains("idle_in_transaction_session_timeout")
    }
  }

  @Test("host names are looked up, and one that does not exist is an error")
  func names() async throws {
    let byName = try TestDatabase.url().replacing("127.0.0.1", with: "localhost")
    #expect(try await TestDatabase.run(url: byName) { try await $0.query("SELECT 1").count } == 1)
    await #expect(throws: PostgresError.self) {
      try await TestDatabase.run(url: "postgres://nobody@terroir.invalid/none", connectSeconds: 1) { _ in }
    }
  }

  @Test("another host of the list takes over when the first is down")
  func secondHost() async throws {
    let proxy = try Proxy(before: TestDatabase.url())
    proxy.become(.stop)
    let url = try TestDatabase.url().replacing("@127.0.0.1:", with: "@127.0.0.1:\(proxy.port),127.0.0.1:")
    #expect(
      try await TestDatabase.run(url: url + "?target_session_attrs=read-write") { try await $0.query("SELECT 1").count }
        == 1)
  }
}
