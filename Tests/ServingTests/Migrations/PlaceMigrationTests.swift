import Postgres
import Testing
import Values

@testable import Migrations

@Suite("The migrations of places", .blocking)
struct PlaceMigrationTests {
  @Test("move coordinates next to zero to zero, even where the old index accepts no more places")
  func nextToNothing() throws {
    let ids = (0..<400).map { _ in "\(Identifier.make(unixMilliseconds: 1))" }
    func shops(_ ids: some Sequence<String>, _ latitude: String, _ longitude: String, gone: String = "NULL") -> SQL {
      let rows = ids.map { "('\($0)', 'Hill Farm', 'vegetables', \(latitude), \(longitude), now(), now(), \(gone))" }
      let columns = "id, name, category, latitude, longitude, created_at, updated_at, deleted_at"
      return "INSERT INTO businesses (\(unescaped: columns)) VALUES \(unescaped: rows.joined(separator: ", "))"
    }
    let configuration = DatabaseConfiguration(url: try TestDatabase.make())
    let (refusal, places, indexes) = try Database.standalone(configuration, connectSeconds: 10) { database in
      _ = try await Migrator(database: database, migrations: Array(Migration.all[..<46])).run()
      try await database.execute(shops(ids[..<1], "1e-170", "-1e-170"))
      try await database.execute(shops(ids[1..<2], "51.5", "5e-324", gone: "now()"))
      var refusal = ""
      do { try await database.execute(shops(ids[2..<302], "0", "0")) } catch { refusal = "\(error)" }
      _ = try await Migrator(database: database).run()
      try await database.execute(shops(ids[2..<302], "0", "0"))
      try await database.execute(shops(ids[302...], "random()", "random()"))
      let rows = try await database.query(
        """
        SELECT latitude, longitude FROM businesses
        WHERE id IN (\(Identifier(ids[0])!), \(Identifier(ids[1])!)) ORDER BY latitude
        """)
      let indexes = try await database.query(
        """
        SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indisvalid AND c.relname ~ 'by_(place|position)' ORDER BY 1
        """)
      let places = try rows.map { row in try [0, 1].map { try row.decode(Double.self, $0) } }
      return (refusal, places, try indexes.map { try $0.decode(String.self, 0) })
    }
    #expect(refusal.contains("underflow"))
    #expect(places == [[0, 0], [51.5, 0]])
    #expect(indexes == ["businesses_by_position", "gardens_by_position"])
  }
}
