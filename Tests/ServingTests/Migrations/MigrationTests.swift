import Faults
import Glibc
import Postgres
import Reactor
import Testing
import Values

@testable import Migrations

@Suite("Migrations", .blocking)
struct MigrationTests {
  @Test("assume that old order lines took from stock, unless their product is unlimited now")
  func stockTaken() throws {
    let ids = (0..<5).map { _ in Identifier.make(unixMilliseconds: 1) }
    let (business, order, limited, unlimited, gone) = (ids[0], ids[1], ids[2], ids[3], ids[4])
    let taken = try Database.standalone(DatabaseConfiguration(url: TestDatabase.make()), connectSeconds: 10) {
      database in
      try await database.transaction { transaction in
        let later = try #require(Migration.all.firstIndex { $0.number == Migration.stockTaken.number })
        for migration in Migration.all[..<later] { try await transaction.script(migration.sql, name: "before") }
        try await transaction.script(
          """
          INSERT INTO businesses (id, name, category, created_at, updated_at)
          VALUES ('\(business)', 'Hill Farm', 'vegetables', now(), now());
          INSERT INTO products (id, business_id, name, price_amount, currency, unit, stock, created_at, updated_at)
          VALUES ('\(limited)', '\(business)', 'Carrots', 1, 'EUR', 'kg', 0, now(), now()),
            ('\(unlimited)', '\(business)', 'Eggs', 1, 'EUR', 'box', NULL, now(), now());
          INSERT INTO orders (id, business_id, status, currency, total, created_at, updated_at)
          VALUES ('\(order)', '\(business)', 'pending', 'EUR', 3, now(), now());
          INSERT INTO order_lines (order_id, position, product_id, name, unit, quantity, unit_price, total)
          VALUES ('\(order)', 0, '\(limited)', 'Carrots', 'kg', 1, 1, 1),
            ('\(order)', 1, '\(unlimited)', 'Eggs', 'box', 1, 1, 1), ('\(order)', 2, '\(gone)', 'Beans', 'kg', 1, 1, 1);
          """, name: "old rows")
        try await transaction.script(Migration.stockTaken.sql, name: "after")
      }
      let rows = try await database.query("SELECT stock_taken FROM order_lines ORDER BY position", name: "taken")
      return try rows.map { try $0.decode(Bool.self, 0) }
    }
    #expect(taken == [true, false, true])
  }

  @Test("restore the search words of businesses that parallel changes had lost, and delete those of closed ones")
  func words() throws {
    let ids = (0..<3).map { _ in Identifier.make(unixMilliseconds: 1) }
    let kept = try Database.standalone(DatabaseConfiguration(url: TestDatabase.make()), connectSeconds: 10) {
      database in
      try await database.transaction { transaction in
        for migration in Migration.all[..<33] { try await transaction.script(migration.sql, name: "before") }
        try await transaction.script(
          """
          INSERT INTO businesses (id, name, category, created_at, updated_at, deleted_at)
          VALUES ('\(ids[0])', 'Hill Farm', 'vegetables', now(), now(), NULL),
            ('\(ids[1])', 'Closed', 'vegetables', now(), now(), now());
          INSERT INTO products (id, business_id, name, price_amount, currency, unit, created_at, updated_at)
          VALUES ('\(ids[2])', '\(ids[0])', 'Carrots', 1, 'EUR', 'kg', now(), now());
          UPDATE business_words SET words = 'hill';
          """, name: "lost words")
        for migration in Migration.all[33...] { try await transaction.script(migration.sql, name: "after") }
      }
      let rows = try await database.query(
        "SELECT business_id, words @@ 'farm & carrots & vegetables' FROM business_words", name: "words")
      return try rows.map { (try $0.decode(Identifier.self, 0), try $0.decode(Bool.self, 1)) }
    }
    #expect(kept.map(\.0) == [ids[0]] && kept.map(\.1) == [true])
  }

  @Test("queue buckets again that were set aside for an hour with a tiny sum")
  func setAside() throws {
    let device = Identifier.make(unixMilliseconds: 1)
    let (again, aside) = try Database.standalone(DatabaseConfiguration(url: TestDatabase.make()), connectSeconds: 10) {
      database in
      try await database.transaction { transaction in
        for migration in Migration.all[..<43] { try await transaction.script(migration.sql, name: "before") }
        try await transaction.script(
          """
          INSERT INTO users (id, email, email_key, display_name, password_hash, created_at, updated_at)
          VALUES ('\(device)', 'a@b.cd', 'a@b.cd', 'Ada', '', now(), now());
          INSERT INTO gardens (id, owner_id, name, created_at, updated_at)
          VALUES ('\(device)', '\(device)', 'South slope', now(), now());
          INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
          VALUES ('\(device)', '\(device)', 'Probe', '', now(), now());
          INSERT INTO rollup_refused (device_id, sensor_type, start, reason)
          VALUES ('\(device)', 'x', '2026-11-21T10:05:00Z', 'value out of range: underflow');
          """, name: "set aside")
        try await transaction.script(Migration.all[43].sql, name: "after")
      }
      let again = try await database.query("SELECT device_id, sensor_type, start FROM rollup_queue")[0].decode(
        (Identifier.self, String.self, Timestamp.self))
      return (again, try await database.query("SELECT FROM rollup_refused").count)
    }
    #expect(again == (device, "x", Timestamp("2026-11-21T10:05:00Z")!) && aside == 0)
  }

  @Test("keep the inviter of an invitation that is not accepted yet")
  func inviters() throws {
    let ids = (0..<3).map { _ in Identifier.make(unixMilliseconds: 1) }
    let known = try Self.run { database in
      _ = try await Migrator(database: database, migrations: Array(Migration.all[..<52])).run()
      try await database.transaction { transaction in
        try await transaction.script(
          """
          INSERT INTO users (id, email, email_key, display_name, password_hash, created_at, updated_at)
          VALUES ('\(ids[0])', 'a@b.cd', 'a@b.cd', 'Ada', '', now(), now());
          INSERT INTO gardens (id, owner_id, name, created_at, updated_at)
          VALUES ('\(ids[0])', '\(ids[0])', 'South slope', now(), now());
          INSERT INTO garden_members (id, garden_id, role, email, email_key, hash, created_at, expires_at, invited_by)
          VALUES ('\(ids[1])', '\(ids[0])', 'viewer', 'b@b.cd', 'b@b.cd', 'b', now() - interval '1 day', now(), '\(ids[0])'),
            ('\(ids[2])', '\(ids[0])', 'viewer', 'c@b.cd', 'c@b.cd', 'c', now() - interval '1 day', now(), NULL);
          """, name: "invitations")
      }
      _ = try await Migrator(database: database).run()
      let rows = try await database.query("SELECT id FROM garden_members WHERE invited_at = created_at")
      return try rows.map { try $0.decode(Identifier.self, 0) }
    }
    #expect(known == [ids[1]])
  }

  @Test("that a database lacks are listed without running any, also for an empty database")
  func missing() throws {
    let column = Migration(number: 2, name: "column", sql: "ALTER TABLE t ADD COLUMN y int;")
    let told = try Self.run { database in
      let all = Migrator(database: database, migrations: [Self.table, column])
      var told = [try await all.missing().map(\.name), try await all.missing().map(\.name)]
      _ = try await Migrator(database: database, migrations: [Self.table]).run()
      told.append(try await all.missing().map(\.name))
      _ = try await all.run()
      return told + [try await all.missing().map(\.name)]
    }
    #expect(told == [["table", "column"], ["table", "column"], ["column"], []])
  }

  @Test("are refused before any is run where tables would be made in another schema than public")
  func otherSchema() throws {
    let (fault, tables) = try Self.run { database in
      // The one that PostgreSQL's "$user" stands for.
      let user = try await database.query("SELECT quote_ident(current_user)")[0].decode(String.self, 0)
      try await database.execute("CREATE SCHEMA \(unescaped: user)")
      var fault: Migrator.Mismatch?
      do { _ = try await Migrator(database: database).run() } catch let error as Migrator.Mismatch { fault = error }
      let tables = try await database.query("SELECT FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'")
      return (fault, tables.count)
    }
    #expect(fault?.description.contains("have to be in 'public'") == true)
    #expect(tables == 0)
  }

  // MARK: Alongside others

  private static let table = Migration(number: 1, name: "table", sql: "CREATE TABLE t (x int);")

  /// Runs `body` on a new database, on which a statement may wait long before it fails.
  private static func run<Value>(_ body: @escaping (Database) async throws -> Value) throws -> Value {
    var configuration = DatabaseConfiguration(url: try TestDatabase.make())
    configuration.statementTimeoutMilliseconds = 20_000
    configuration.idleTransactionTimeoutMilliseconds = 120_000
    return try Database.standalone(configuration, connectSeconds: 10, body)
  }

  /// A migrator that runs in a task of its own.
  private final class Running {
    private(set) var result: Result<[String], any Error>?
    private let loop: EventLoop

    init(_ migrator: Migrator) {
      loop = migrator.database.loop
      loop.spawn { [self] in
        do { result = .success(try await migrator.run()) } catch { result = .failure(error) }
      }
    }

    func names() async throws -> [String] {
      for _ in 0..<6_000 where result == nil { await loop.sleep(nanoseconds: 10_000_000) }
      return try #require(result).get()
    }
  }

  @Test("wait for no other migrator when there are none to run", .timeLimit(.minutes(1)))
  func none() throws {
    let names = try Self.run { database in
      let migrator = Migrator(database: database, migrations: [Self.table])
      _ = try await migrator.run()
      return try await database.transaction { transaction in
        _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(Migrator.lockKey))")
        return try await migrator.run()
      }
    }
    #expect(names.isEmpty)
  }

  @Test("block nobody for longer than a lock's time-out while a reader has their table, and succeed once it is done")
  func reader() throws {
    let names = try Self.run { database in
      _ = try await Migrator(database: database, migrations: [Self.table]).run()
      let column = Migration(number: 2, name: "column", sql: "ALTER TABLE t ADD COLUMN y int;")
      let migrator = Migrator(database: database, migrations: [Self.table, column])
      let running = try await database.transaction { transaction in
        try await transaction.execute("SELECT FROM t")
        let running = Running(migrator)
        for _ in 0..<2 {
          while try await database.query("SELECT FROM pg_locks WHERE relation = 't'::regclass AND NOT granted").isEmpty
          {
            try #require(running.result == nil)
            await database.loop.sleep(nanoseconds: 5_000_000)
          }
          // Waits behind the migration, which waits for this transaction.
          _ = try await database.query("SELECT FROM t")
        }
        return running
      }
      return try await running.names()
    }
    #expect(names == ["column"])
  }

  @Test("make an index outside a transaction, once among two migrators, although a half-made one was left")
  func index() throws {
    let index = Migration(
      number: 2, name: "index",
      apart: ["DROP INDEX CONCURRENTLY IF EXISTS t_x", "CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (x)"])
    try Self.run { database in
      _ = try await Migrator(database: database, migrations: [Self.table]).run()
      try await database.execute("INSERT INTO t VALUES (1), (1)")
      let migrator = Migrator(database: database, migrations: [Self.table, index])
      do {
        _ = try await migrator.run()
        Issue.record("a unique index was made of values that are not unique")
      } catch let error as PostgresError {
        #expect(error.isUniqueViolation)
      }
      let validity: SQL = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('t_x')"
      #expect(try await database.query(validity)[0].decode(Bool.self, 0) == false)
      try await database.execute("TRUNCATE t")
      let both = [Running(migrator), Running(migrator)]
      let names = try await both[0].names() + both[1].names()
      #expect(names == ["index"])
      #expect(try await database.query(validity)[0].decode(Bool.self, 0))
    }
  }

  @Test("finish an index whose migrator was killed, although Postgres is still building it", .timeLimit(.minutes(2)))
  func killed() throws {
    let url = try TestDatabase.make()
    var configuration = DatabaseConfiguration(url: url)
    configuration.idleTransactionTimeoutMilliseconds = 120_000
    let isValid = try Database.standalone(configuration, connectSeconds: 10) { database in
      let index = Migration.insightsByType.number
      _ = try await Migrator(database: database, migrations: Migration.all.filter { $0.number < index }).run()
      func waiting(_ statement: String) async throws {
        let sessions: SQL = """
          SELECT FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE \(statement + "%")
          """
        while try await database.query(sessions).isEmpty {
          await database.loop.sleep(nanoseconds: 10_000_000)
        }
      }
      let second = try await database.transaction { reader in
        // Its snapshot is what the index waits for.
        try await reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        _ = try await reader.query("SELECT FROM insights")
        let first = try ServerProcess(["serve"], ["DATABASE_URL": url])
        try await waiting("CREATE INDEX CONCURRENTLY")
        first.signal(SIGKILL)
        _ = first.wait()
        let second = try ServerProcess(["serve"], ["DATABASE_URL": url])
        try await waiting("DROP INDEX CONCURRENTLY")
        return second
      }
      _ = try second.line("\"Serving\"")
      return try await database.query("SELECT bool_and(indisvalid) FROM pg_index")[0].decode(Bool.self, 0)
    }
    #expect(isValid)
  }

  @Test("make an index even where connecting takes longer than any of its steps may")
  func farAway() throws {
    var configuration = DatabaseConfiguration(url: try TestDatabase.make())
    let proxy = try Proxy(before: configuration.url)
    defer { proxy.become(.stop) }
    configuration.url = proxy.url(for: configuration.url)
    (configuration.readers, configuration.writers, configuration.connectTimeoutMilliseconds) = (1, 0, 1_500)
    let index = Migration(number: 2, name: "index", apart: ["CREATE INDEX CONCURRENTLY t_x ON t (x)"])
    let names = try Database.standalone(configuration, connectSeconds: 10) { database in
      _ = try await Migrator(database: database, migrations: [Self.table]).run()
      proxy.delayAnswers(milliseconds: 400)
      return try await Migrator(database: database, migrations: [Self.table, index]).run()
    }
    #expect(names == ["index"])
  }

  @Test("are run once each when two replicas start together on an empty database")
  func together() throws {
    let url = try TestDatabase.make()
    let names = try ServingTests.together(2) { _ in
      try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 10) { database in
        try await Migrator(database: database).run()
      }
    }
    #expect(names.joined().sorted() == Migration.all.map(\.name).sorted())
  }
}
