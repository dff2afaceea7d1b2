import Testing

@testable import Migrations

/// Migrations that were run are compared with the binary's by checksum: one that was changed fails every upgrade.
@Suite("The migrations of this binary")
struct NotedMigrationsTests {
  @Test("are those of Tests/migrations.txt, which gets a line for a new one and has none changed")
  func list() throws {
    let digits = Array("0123456789abcdef")
    let lines = Migration.all.map { migration in
      "\(migration.number) " + String(migration.checksum.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
    let noted = try Repository.text(of: "Tests/migrations.txt").split(separator: "\n").map { String($0) }
    let others = lines.filter { !noted.contains($0) }
    #expect(others.isEmpty, "add new ones there, and restore those that were changed")
    #expect(noted.count == lines.count)
  }
}
