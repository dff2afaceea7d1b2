import Testing

@testable import Postgres

@Suite("A connection's memory of prepared statements")
struct PreparedStatementsTests {
  @Test("prepares a statement once, and again for other parameter types")
  func use() {
    var prepared = PreparedStatements()
    #expect(prepared.use(500, signature: 10) == (.prepare, 0))
    #expect(prepared.use(500, signature: 10) == (.nothing, 0))
    #expect(prepared.use(500, signature: 12) == (.replace(version: 0), 1))
    #expect(prepared.use(3, signature: 10) == (.prepare, 0))
    prepared.removeAll()
    #expect(prepared.use(500, signature: 12) == (.prepare, 0))
  }

  @Test("gives a forgotten or stale statement a new version, and ignores news of an old one")
  func versions() {
    var prepared = PreparedStatements()
    _ = prepared.use(1, signature: 10)
    prepared.forget(1, version: 0)
    #expect(prepared.use(1, signature: 10) == (.prepare, 1))
    prepared.forget(1, version: 0)
    prepared.markStale(1, version: 0)
    #expect(prepared.use(1, signature: 10) == (.nothing, 1))
    prepared.markStale(1, version: 1)
    #expect(prepared.use(1, signature: 10) == (.replace(version: 1), 2))
  }
}
