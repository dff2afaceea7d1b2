import Postgres
import Testing
import Values

@testable import API

@Suite("Migrations")
struct MigrationTests {
  @Test("assume of old order lines that what has stock now was taken from it, and nothing else")
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
}
