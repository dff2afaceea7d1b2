import Testing

@testable import Migrations

/// What was run somewhere is compared with the binary's by its checksum: a migration that was changed ends every upgrade.
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
    #expect(others.isEmpty, "new ones belong there, and what was changed is to be as it was")
    #expect(noted.count == lines.count)
  }
}
