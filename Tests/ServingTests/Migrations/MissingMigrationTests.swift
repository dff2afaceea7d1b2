import Glibc
import Postgres
import Testing

@testable import Migrations

/// A server that does not migrate by itself, as most deployments have it.
@Suite("A server that leaves migrations to others", .blocking)
struct MissingMigrationTests {
  private func run<Value>(_ url: String, _ body: @escaping (Database) async throws -> Value) throws -> Value {
    try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 10, body)
  }

  @Test("is not ready while the database lacks one, says which, and starts by itself once it has been run")
  func behind() throws {
    let (url, last) = (try TestDatabase.make(), try #require(Migration.all.last))
    _ = try run(url) { try await Migrator(database: $0, migrations: Migration.all.dropLast()).run() }
    let server = try ServerProcess(["serve"], ["DATABASE_URL": url, "MIGRATE_ON_START": "off"])
    let port = UInt16(try server.number("port", in: try server.line("\"Listening\"")))
    let said = try server.line("\"Waiting for migrations\"")
    #expect(said.contains("\"missing\":\"\(last.title)\""), "\(said)")
    for (path, status) in [("/livez", 200), ("/startupz", 503), ("/readyz", 503)] {
      #expect(try Wire(port: port).get(path).status == status, "\(path)")
    }
    #expect(!server.log.lines.contains { $0.contains("\"Serving\"") })
    #expect(try run(url) { try await Migrator(database: $0).run() } == [last.name])
    _ = try server.line("\"Serving\"")
    for path in ["/startupz", "/readyz"] {
      #expect(try holds { try Wire(port: port).get(path).status == 200 }, "\(path)")
    }
  }

  @Test("starts on a database that is ahead of it, so that an earlier release can come back")
  func ahead() throws {
    let url = try TestDatabase.makeMigrated()
    _ = try run(url) { database in
      try await database.execute("INSERT INTO schema_migrations (number, name, checksum) VALUES (1000, 'later', '')")
    }
    let server = try LiveServer(["DATABASE_URL": url, "MIGRATE_ON_START": "off"])
    server.stop()
  }
}
