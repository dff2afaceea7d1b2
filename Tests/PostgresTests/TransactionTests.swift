import Glibc
import Postgres
import Testing

@Suite("Transactions")
struct TransactionTests {
  private struct Refused: Error {}
  private static let table = "CREATE TABLE accounts (id int8 PRIMARY KEY, balance int8 NOT NULL)"

  @Test("commit when the body returns, roll back when it throws, and leave the connection clean")
  func outcomes() async throws {
    let (count, next) = try await TestDatabase.runInSchema(Self.table, { $0.transactionConnections = 1 }) { database in
      let inserted = try await database.transaction { transaction in
        try await transaction.execute("INSERT INTO accounts VALUES (1, 10), (2, 20)")
      }
      do {
        try await database.transaction { transaction in
          try await transaction.execute("INSERT INTO accounts VALUES (3, 30)")
          throw Refused()
        }
      } catch is Refused {}
      let count = try await database.query("SELECT count(*) FROM accounts")[0].decode(Int.self, 0)
      let next = try await database.transaction {
        try await $0.query("SELECT txid_current_if_assigned() IS NULL").count
      }
      return (count - inserted, next)
    }
    #expect(count == 0)
    #expect(next == 1)
  }

  @Test("that fail in a statement roll back, even when the body swallows the error")
  func swallowed() async throws {
    let (error, count) = try await TestDatabase.runInSchema(Self.table) { database in
      let caught = await postgresError {
        try await database.transaction { transaction in
          try await transaction.execute("INSERT INTO accounts VALUES (1, 1)")
          _ = try? await transaction.execute("INSERT INTO accounts VALUES (1, 1)")
        }
      }
      return (caught, try await database.query("SELECT count(*) FROM accounts")[0].decode(Int.self, 0))
    }
    #expect(error?.isUniqueViolation == true, "\(String(describing: error))")
    #expect(count == 0)
  }

  @Test("that lose a conflict are retried until all have succeeded")
  func conflicts() async throws {
    let (failures, balance) = try await TestDatabase.runInSchema(
      Self.table + "; INSERT INTO accounts VALUES (1, 0)", { $0.transactionAttempts = 100 }
    ) { database in
      let results = await concurrently(20, on: database.loop) { _ in
        try await database.transaction(.repeatableRead) { transaction in
          let balance = try await transaction.query("SELECT balance FROM accounts WHERE id = 1")[0].decode(Int.self, 0)
          try await transaction.execute("UPDATE accounts SET balance = \(balance + 1) WHERE id = 1")
        }
      }
      let failures = results.filter { if case .failure = $0 { true } else { false } }.count
      return (failures, try await database.query("SELECT balance FROM accounts")[0].decode(Int.self, 0))
    }
    #expect(failures == 0)
    #expect(balance == 20)
  }

  @Test("in a deadlock both succeed in the end")
  func deadlock() async throws {
    let balances = try await TestDatabase.runInSchema(Self.table + "; INSERT INTO accounts VALUES (1, 0), (2, 0)") {
      database in
      var holders = Set<Int>()
      let results = await concurrently(2, on: database.loop) { index in
        try await database.transaction(timeoutMilliseconds: 10_000) { transaction in
          for id in index == 0 ? [1, 2] : [2, 1] {
            try await transaction.execute("UPDATE accounts SET balance = balance + 1 WHERE id = \(id)")
            // Waits until each transaction holds the row that the other wants next.
            holders.insert(index)
            for _ in 0..<5_000 where holders.count < 2 { await database.loop.sleep(nanoseconds: 1_000_000) }
          }
        }
      }
      for result in results { try result.get() }
      return try await database.query("SELECT balance FROM accounts ORDER BY id").map { try $0.decode(Int.self, 0) }
    }
    #expect(balances == [2, 2])
  }

  @Test("are unavailable on a standby, and the next one gets another connection")
  func standby() async throws {
    let (error, backends) = try await TestDatabase.run { database in
      func backend() async throws -> Int32 {
        try await database.transaction { try await $0.query("SELECT pg_backend_pid()")[0].decode(Int32.self, 0) }
      }
      let first = try await backend()
      // Any server refuses this as a standby refuses BEGIN READ WRITE: by the same code, from the same function.
      let error = await postgresError {
        try await database.transaction { _ = try await $0.execute("SET default_with_oids = on") }
      }
      return (error, [first, try await backend()])
    }
    #expect(error?.kind == .unavailable, "\(String(describing: error))")
    #expect(backends[0] != backends[1])
  }

  @Test("wait for a connection, and are refused when too many wait, or one waits too long")
  func waiting() async throws {
    let kinds = try await TestDatabase.run({
      ($0.transactionConnections, $0.transactionQueueLength, $0.transactionWaitMilliseconds) = (1, 2, 2_000)
    }) { database in
      try await database.transaction { _ in }
      return await concurrently(5, on: database.loop) { _ in
        try await database.transaction { _ = try await $0.query("SELECT pg_sleep(4)") }
      }.map { result -> String in
        switch result {
        case .success: "done"
        case .failure(let error): (error as? PostgresError).map { "\($0.kind) \($0.message)" } ?? "\(error)"
        }
      }
    }
    #expect(kinds.filter { $0 == "done" }.count == 1)
    #expect(kinds.filter { $0 == "overloaded 2 transactions wait for a connection" }.count == 2)
    #expect(kinds.filter { $0.hasPrefix("overloaded no transaction connection") }.count == 2)
  }

  @Test("run scripts of several statements, whole or not at all")
  func scripts() async throws {
    let (error, tables) = try await TestDatabase.runInSchema("") { database in
      try await database.transaction { transaction in
        try await transaction.script("CREATE TABLE one (id int8); INSERT INTO one VALUES (1); -- done\n")
        try await transaction.execute("INSERT INTO one VALUES (2)")
      }
      let caught = await postgresError {
        try await database.transaction { try await $0.script("CREATE TABLE two (id int8); SELECT 1 / 0; SELECT 2") }
      }
      let rows = try await database.query("SELECT count(*), to_regclass('two')::text FROM one")
      return (caught, try rows[0].decode((Int.self, String?.self)))
    }
    #expect(error?.sqlState == "22012")
    #expect(tables.0 == 2)
    #expect(tables.1 == nil)
  }

  @Test("stream 200 000 rows in chunks, in order, within constant memory")
  func stream() async throws {
    let (count, sum, growth) = try await TestDatabase.run { database in
      var (count, sum, chunks) = (0, 0, 0)
      let before = residentKilobytes()
      try await database.transaction(.repeatableRead, readOnly: true) { transaction in
        try await transaction.stream(
          "SELECT n, repeat('x', 1000) FROM generate_series(1, \(Int32(200_000))) AS n", chunkRows: 500
        ) { rows in
          chunks += 1
          for row in rows {
            count += 1
            sum += try row.decode(Int.self, 0)
          }
        }
      }
      return (count, sum, residentKilobytes() - before)
    }
    #expect(count == 200_000)
    #expect(sum == 200_000 * 200_001 / 2)
    // The rows are 200 MB; a chunk is half a megabyte. Other tests in this process need memory at the same time, and a
    // sanitizer keeps freed memory.
    if getenv("SANITIZER") == nil { #expect(growth < 100_000) }
  }
}
