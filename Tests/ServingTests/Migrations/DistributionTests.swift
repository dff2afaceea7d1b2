import Postgres
import Testing

@Suite("Tables of readings can be distributed by device", .blocking)
struct DistributionTests {
  /// The table `readings` and those whose names begin with `readings_`, without partitions.
  private static let tables = """
    WITH tables AS (
      SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname ~ '^readings(_|$)'
    )
    """

  private func names(_ query: String) throws -> [String] {
    try LiveServer.shared.get().withDatabase { database in
      try await database.query(SQL(unescaped: Self.tables + query)).map { try $0.decode(String.self, 0) }
    }
  }

  @Test("each of them has the device, and it is part of every key")
  func keys() throws {
    let all = try names("SELECT relname::text FROM tables ORDER BY 1")
    #expect(Set(all).isSuperset(of: ["readings", "readings_5m", "readings_1h"]))
    let device =
      "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'device_id' AND a.attnotnull"
    #expect(try names("SELECT relname::text FROM tables t WHERE NOT \(device))") == [])
    #expect(
      try names(
        """
        SELECT i.indexrelid::regclass::text FROM tables t JOIN pg_index i ON i.indrelid = t.oid
        WHERE i.indisunique AND NOT \(device) AND a.attnum = ANY (i.indkey))
        """) == [])
    #expect(
      try names(
        """
        SELECT relname::text FROM tables t WHERE NOT EXISTS (
          SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisunique AND \(device) AND a.attnum = i.indkey[0]))
        """) == [], "and the first of one")
  }

  @Test("no foreign key, trigger or sequence binds them to one server")
  func bonds() throws {
    #expect(
      try names(
        """
        SELECT c.conname::text FROM pg_constraint c JOIN tables t ON t.oid IN (c.conrelid, c.confrelid)
        WHERE c.contype = 'f'
        UNION ALL SELECT tgname::text FROM pg_trigger g JOIN tables t ON t.oid = g.tgrelid
          -- These keep the days up to date beside a release that knows none, and go with it (docs/scaling.md).
          WHERE tgname NOT IN ('days_of_new_hours', 'days_of_changed_hours', 'days_of_gone_hours')
        UNION ALL SELECT adrelid::regclass::text FROM pg_attrdef d JOIN tables t ON t.oid = d.adrelid
          WHERE pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%'
        """) == [])
  }
}
