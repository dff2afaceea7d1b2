import Glibc
import Postgres
import Testing

@testable import Migrations

/// The schema of another binary may look like ours, so migrations that were run are compared by their checksums.
@Suite("A migration that was changed after it was run", .blocking)
struct ChangedMigrationTests {
  @Test("is named in the error, and nothing after it is run")
  func refusal() throws {
    let table = Migration(number: 1, name: "table", sql: "CREATE TABLE t (x int);")
    let changed = Migration(number: 1, name: "table", sql: "CREATE TABLE t (x bigint);")
    let next = Migration(number: 2, name: "next", sql: "CREATE TABLE u (x int);")
    let url = try TestDatabase.make()
    func migrate(_ migrations: [Migration]) throws {
      _ = try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 10) { database in
        try await Migrator(database: database, migrations: migrations).run()
      }
    }
    try migrate([table])
    let error = #expect(throws: Migrator.Mismatch.self) { try migrate([changed, next]) }
    #expect(error?.description == "migration 1 (table) was changed after it was run")
    let names = try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 10) { database in
      try await Migrator(database: database, migrations: [table, next]).missing().map(\.name)
    }
    #expect(names == ["next"])
  }

  @Test(
    "keeps a server from being ready, which says why, and fails the command that migrates",
    arguments: ["on", "off"])
  func unready(migrating: String) throws {
    let url = try TestDatabase.makeMigrated()
    try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 10) { database in
      _ = try await database.execute("UPDATE schema_migrations SET checksum = '' WHERE number = 7")
    }
    let server = try ServerProcess(["serve"], ["DATABASE_URL": url, "MIGRATE_ON_START": migrating])
    let port = UInt16(try server.number("port", in: try server.line("\"Listening\"")))
    let said = try server.line("\"critical\"")
    #expect(said.contains("The database's schema does not fit") && said.contains("migration 7 ("), "\(said)")
    for (path, status) in [("/livez", 200), ("/startupz", 503), ("/readyz", 503)] {
      #expect(try Wire(port: port).get(path).status == status, "\(path)")
    }
    server.signal(SIGTERM)
    #expect(server.wait() == 0)
    #expect(!server.log.lines.contains { $0.contains("\"Serving\"") })
    let command = try ServerProcess(["migrate"], ["DATABASE_URL": url])
    #expect(command.wait() == 1)
    _ = try command.line("migration 7 (")
  }
}
