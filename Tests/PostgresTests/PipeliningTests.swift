import Postgres
import Testing

@Suite("Pipelined queries")
struct PipeliningTests {
  private static let quotient = Statement("test.quotient", "SELECT $1 / $2")

  @Test("400 reads at once, every fifth failing, each get their own outcome")
  func ownOutcomes() async throws {
    let outcomes = try await TestDatabase.run { database in
      await concurrently(400, on: database.loop) { index in
        let divisor: Int64 = index % 5 == 0 ? 0 : 1
        return try await database.query(Self.quotient, Int64(index), divisor)[0].decode(Int64.self, 0)
      }.map { result -> String in
        switch result {
        case .success(let value): "\(value)"
        case .failure(let error): (error as? PostgresError)?.sqlState ?? "\(error)"
        }
      }
    }
    #expect(outcomes == (0..<400).map { $0 % 5 == 0 ? "22012" : "\($0)" })
  }

  @Test("a statement that cannot be prepared fails alone, again and again")
  func badStatements() async throws {
    let bad = Statement("test.bad", "SELECT nothing FROM nowhere")
    let outcomes = try await TestDatabase.run { database in
      await concurrently(100, on: database.loop) { index in
        if index % 10 == 3 { return try await database.query(bad).count }
        return try await database.query(Self.quotient, Int64(index), Int64(1)).count
      }.map { result -> String in
        switch result {
        case .success(let count): "\(count)"
        case .failure(let error): (error as? PostgresError)?.sqlState ?? "\(error)"
        }
      }
    }
    #expect(outcomes == (0..<100).map { $0 % 10 == 3 ? "42P01" : "1" })
  }

  @Test("writes and reads of one turn do not disturb each other, and a failed write changes nothing")
  func writes() async throws {
    let (failures, count) = try await TestDatabase.runInSchema(
      "CREATE TABLE things (id int8 PRIMARY KEY CHECK (id <> 50))", { $0.writers = 1 }
    ) { database in
      let results = await concurrently(100, on: database.loop) { index in
        if index % 2 == 0 { return try await database.execute("INSERT INTO things VALUES (\(index))") }
        return try await database.query("SELECT 1 / \(index % 7)").count
      }
      let failures = results.enumerated().compactMap { index, result -> String? in
        guard case .failure(let error as PostgresError) = result else { return nil }
        return "\(index) \(error.sqlState ?? "?") \(error.constraint ?? "-")"
      }
      let count = try await database.query("SELECT count(*) FROM things")[0].decode(Int64.self, 0)
      return (failures, count)
    }
    let divisions = (0..<100).filter { $0 % 2 == 1 && $0 % 7 == 0 }.map { "\($0) 22012 -" }
    #expect(failures.sorted() == (divisions + ["50 23514 things_id_check"]).sorted())
    #expect(count == 49)
  }

  @Test("a write is answered after its commit: a deferred constraint fails it")
  func deferredConstraint() async throws {
    let (error, count) = try await TestDatabase.runInSchema(
      """
      CREATE TABLE parents (id int8 PRIMARY KEY);
      CREATE TABLE children (parent int8 REFERENCES parents DEFERRABLE INITIALLY DEFERRED)
      """
    ) { database in
      let caught = await postgresError { try await database.execute("INSERT INTO children VALUES (1)") }
      return (caught, try await database.query("SELECT count(*) FROM children")[0].decode(Int64.self, 0))
    }
    #expect(error?.isForeignKeyViolation == true)
    #expect(error?.table == "children")
    #expect(count == 0)
  }

  @Test("a read connection refuses to write")
  func readOnly() async throws {
    let state = try await TestDatabase.runInSchema("CREATE TABLE things (id int8)") { database in
      await postgresError { _ = try await database.query("INSERT INTO things VALUES (1)") }?.sqlState
    }
    #expect(state == "25006")
  }

  @Test("a unique violation names its constraint")
  func uniqueViolation() async throws {
    let error = try await TestDatabase.runInSchema(
      "CREATE TABLE users (email text CONSTRAINT users_email_key UNIQUE)"
    ) { database -> PostgresError? in
      let insert = Statement("test.insert", "INSERT INTO users VALUES ($1) RETURNING email")
      let rows = try await database.write(insert, "a@b.c")
      guard rows.count == 1, try rows[0].decode(String.self, 0) == "a@b.c" else { return nil }
      return await postgresError { _ = try await database.write(insert, "a@b.c") }
    }
    #expect(error?.isUniqueViolation == true)
    #expect(error?.constraint == "users_email_key")
  }

  @Test("a statement still works after its table has changed")
  func staleStatement() async throws {
    let columns = try await TestDatabase.runInSchema("CREATE TABLE things (id int8); INSERT INTO things VALUES (1)") {
      database in
      let all = Statement("test.all", "SELECT * FROM things")
      var columns: [Int] = []
      columns.append(try await database.query(all)[0].count)
      columns.append(try await database.transaction { try await $0.query(all)[0].count })
      try await database.execute("ALTER TABLE things ADD name text")
      let many = await concurrently(20, on: database.loop) { _ in try await database.query(all)[0].count }
      columns += try many.map { try $0.get() }
      columns.append(try await database.transaction { try await $0.query(all)[0].count })
      return columns
    }
    #expect(columns == [1, 1] + Array(repeating: 2, count: 21))
  }

  @Test("a statement may be used with parameters of other types")
  func otherTypes() async throws {
    let texts = try await TestDatabase.run({ $0.readers = 1 }) { database in
      let statement = Statement("test.typed", "SELECT $1::text")
      var texts: [String] = []
      texts.append(try await database.query(statement, Int64(1))[0].decode(String.self, 0))
      texts.append(try await database.query(statement, 1.5)[0].decode(String.self, 0))
      texts.append(try await database.query(statement, true)[0].decode(String.self, 0))
      texts.append(try await database.query(statement, Int64(2))[0].decode(String.self, 0))
      return texts
    }
    #expect(texts == ["1", "1.5", "true", "2"])
  }
}
