import CCrypto
import Postgres
import Values

/// Brings a database to the schema of this binary, under an advisory lock so that replicas started together take turns.
struct Migrator {
  /// The key of the lock: "terroir" in ASCII, so that nobody else's lock is taken by accident.
  static let lockKey: Int64 = 0x74_6572_726F_6972
  /// Building an index on a large table takes its time, in milliseconds.
  static let timeoutMilliseconds = 3_600_000

  let database: Database

  /// A migration of the database that is not the one in the binary, or that the binary does not know.
  struct Mismatch: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs what is missing, all in one transaction, and gives the names of what was run.
  ///
  /// Throws `Mismatch` when a migration was changed after it was run. A database that is ahead of the binary is fine:
  /// each migration keeps the release before it working.
  func run() async throws -> [String] {
    try await database.transaction(timeoutMilliseconds: Self.timeoutMilliseconds) { transaction in
      try await transaction.execute("SELECT pg_advisory_xact_lock(\(Self.lockKey))", name: "migrations.lock")
      try await transaction.script(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
          number integer PRIMARY KEY,
          name text NOT NULL,
          checksum bytea NOT NULL,
          applied_at timestamptz NOT NULL DEFAULT now());
        """, name: "migrations.table")
      let applied = try await applied(in: transaction)
      var names: [String] = []
      for migration in Migration.all {
        if let checksum = applied[migration.number] {
          guard checksum == migration.checksum else {
            throw Mismatch(
              description: "migration \(migration.number) (\(migration.name)) was changed after it was run")
          }
          continue
        }
        try await transaction.script(migration.sql, name: "migrations.run")
        try await transaction.execute(
          """
          INSERT INTO schema_migrations (number, name, checksum)
          VALUES (\(migration.number), \(migration.name), \(migration.checksum))
          """, name: "migrations.note")
        names.append(migration.name)
      }
      return names
    }
  }

  private func applied(in transaction: Transaction) async throws -> [Int32: [UInt8]] {
    let rows = try await transaction.query("SELECT number, checksum FROM schema_migrations", name: "migrations.list")
    var applied: [Int32: [UInt8]] = [:]
    for row in rows { applied[try row.decode(Int32.self, 0)] = try row.decode([UInt8].self, 1) }
    return applied
  }
}

extension Migration {
  /// SHA-256 of the statements.
  var checksum: [UInt8] {
    let text = Array(sql.utf8)
    var hash = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(text, text.count, &hash)
    return hash
  }
}
