import CCrypto
import Postgres
import Values

/// Brings a database to the schema of this binary, each migration in a transaction of its own under an advisory lock,
/// so that replicas started together take turns.
///
/// It holds up others only for a moment. A migration that does not get its locks soon is rolled back and retried, and a
/// migrator that waits for the advisory lock has no transaction open, for which a concurrent index build would wait.
package struct Migrator {
  /// The key of the lock: "terroir" in ASCII, so that it is not mistaken for the lock of something else.
  static let lockKey: Int64 = 0x74_6572_726F_6972
  /// How many times a migration that does not get its locks is tried.
  static let attempts = 100
  /// The pause before it is tried again, in nanoseconds: transactions that were held up get their turn.
  static let pauseNanoseconds: UInt64 = 1_000_000_000
  /// The pause before the advisory lock is asked for again, in nanoseconds.
  static let pollNanoseconds: UInt64 = 200_000_000
  /// How long the connection for `Migration.apart` may take to be made, in nanoseconds: each of its steps has the
  /// connect timeout, and there are several.
  static let connectNanoseconds: UInt64 = 10_000_000_000
  /// How long to wait while another migrator has the advisory lock, in nanoseconds.
  static let patienceNanoseconds: UInt64 = 2 * 3_600_000_000_000

  package let database: Database
  var migrations = Migration.all

  package init(database: Database, migrations: [Migration] = Migration.all) {
    self.database = database
    self.migrations = migrations
  }

  /// Thrown when a migration in the binary is not the one that the database has run under its number, or when tables
  /// would be made outside `public`, where the functions of some migrations look for them.
  package struct Mismatch: Error, CustomStringConvertible {
    package let description: String
  }

  /// Thrown when another migrator does not come to an end.
  struct Occupied: Error, CustomStringConvertible {
    let description = "another migrator has held the lock for too long"
  }

  /// Runs the migrations that are missing and returns their names. Those that were run stay when a later one fails.
  ///
  /// Throws `Mismatch`, before anything is run, when a migration was changed after it was run, or tables would be made
  /// outside `public`. A database that is ahead of the binary is fine: each migration keeps the release before it
  /// working (invariant 14 of ARCHITECTURE.md).
  package func run() async throws -> [String] {
    // As at most starts, which then wait for no other migrator, and for no transaction connection to be opened.
    if try await missing().isEmpty { return [] }
    let steps = try await inTurn { transaction in
      try await transaction.script(Self.table, name: "migrations.table")
      return try missing(beside: try await transaction.query(Self.applied, name: "migrations.list"))
    }
    var names: [String] = []
    for migration in steps where try await run(migration) { names.append(migration.name) }
    return names
  }

  /// Returns what `run` would run, in that order; throws what `run` throws before it runs anything.
  package func missing() async throws -> [Migration] {
    var columns = try await database.query(
      "SELECT to_regclass('schema_migrations') IS NOT NULL, current_schema()::text", name: "migrations.begun"
    )[0].columns
    let (hasBegun, schema) = (try columns.next(Bool.self), try columns.next(String?.self))
    let steps =
      hasBegun ? try missing(beside: try await database.query(Self.applied, name: "migrations.list")) : migrations
    guard steps.isEmpty || schema == "public" else {
      throw Mismatch(
        description: """
          tables would be made in \(schema.map { "the schema '\($0)'" } ?? "no schema"), and have to be in 'public': of the \
          schemas in this role's search_path that there are, it must be the first
          """)
    }
    return steps
  }

  /// Runs a migration unless another migrator was first; returns whether it did.
  private func run(_ migration: Migration) async throws -> Bool {
    var attempt = 1
    while true {
      do {
        return try await inTurn { transaction in
          let rows = try await transaction.query(Self.applied, name: "migrations.list")
          guard try missing(beside: rows).contains(where: { $0.number == migration.number }) else { return false }
          if !migration.apart.isEmpty { try await runApart(migration, beside: transaction) }
          try await run(migration, in: transaction)
          return true
        }
      } catch let error as PostgresError where error.isLockTimeout && attempt < Self.attempts {
        attempt += 1
        await database.loop.sleep(nanoseconds: Self.pauseNanoseconds)
      }
    }
  }

  private func run(_ migration: Migration, in transaction: Transaction) async throws {
    if !migration.sql.isEmpty {
      try await transaction.script(Migration.lockTimeout + migration.sql, name: "migrations.run")
    }
    try await transaction.execute(
      """
      INSERT INTO schema_migrations (number, name, checksum)
      VALUES (\(migration.number), \(migration.name), \(migration.checksum))
      """, name: "migrations.note")
  }

  /// Runs the statements of `apart` on a connection of their own, while the transaction holds the advisory lock.
  private func runApart(_ migration: Migration, beside transaction: Transaction) async throws {
    try await transaction.execute("SET LOCAL idle_in_transaction_session_timeout = 0", name: "migrations.wait")
    var configuration = database.configuration
    (configuration.readers, configuration.writers, configuration.transactionConnections) = (0, 1, 0)
    configuration.statementTimeoutMilliseconds = Migration.timeoutMilliseconds
    configuration.lockTimeoutMilliseconds = 0
    let other = try Database(loop: database.loop, configuration: configuration)
    defer { other.close() }
    _ = await other.waitUntilUsable(nanoseconds: Self.connectNanoseconds)
    for statement in migration.apart {
      try await other.execute(SQL(unescaped: statement), name: "migrations.apart")
    }
  }

  // MARK: Turns

  /// Runs `body` in a transaction that holds the advisory lock, once no other migrator does.
  private func inTurn<Value>(_ body: (Transaction) async throws -> Value) async throws -> Value {
    let deadline = database.loop.now + Self.patienceNanoseconds
    while database.loop.now < deadline {
      let value: Value? = try await database.transaction(timeoutMilliseconds: Migration.timeoutMilliseconds) {
        transaction in
        let rows = try await transaction.query(
          "SELECT pg_try_advisory_xact_lock(\(Self.lockKey))", name: "migrations.lock")
        return try rows[0].decode(Bool.self, 0) ? try await body(transaction) : nil
      }
      if let value { return value }
      await database.loop.sleep(nanoseconds: Self.pollNanoseconds)
    }
    throw Occupied()
  }

  private static let applied: SQL = "SELECT number, checksum FROM schema_migrations"

  /// Returns the migrations that the database lacks; `rows` are those that it has run.
  private func missing(beside rows: Rows) throws -> [Migration] {
    var applied: [Int32: [UInt8]] = [:]
    for row in rows { applied[try row.decode(Int32.self, 0)] = try row.decode([UInt8].self, 1) }
    return try migrations.filter { migration in
      guard let checksum = applied[migration.number] else { return true }
      guard checksum == migration.checksum else {
        throw Mismatch(description: "migration \(migration.title) was changed after it was run")
      }
      return false
    }
  }

  private static let table = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
      number integer PRIMARY KEY,
      name text NOT NULL,
      checksum bytea NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now());
    """
}

extension Migration {
  /// SHA-256 of the statements.
  var checksum: [UInt8] {
    let text = Array((apart + [sql]).joined(separator: ";\n").utf8)
    var hash = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(text, text.count, &hash)
    return hash
  }
}
