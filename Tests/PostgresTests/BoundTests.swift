import Postgres
import Reactor
import Testing

@Suite("Bounds", .serialized)
struct BoundTests {
  @Test("a full queue refuses what comes next, and what is in it is answered")
  func queue() async throws {
    let kinds = try await TestDatabase.run({ ($0.readers, $0.queueLength) = (1, 100) }) { database in
      await concurrently(150, on: database.loop) { index in
        try await database.query("SELECT \(index), pg_sleep(0.001)")[0].decode(Int.self, 0) == index
      }.map { result -> String in
        switch result {
        case .success(let isRight): "\(isRight)"
        case .failure(let error): "\((error as? PostgresError)?.kind as PostgresError.Kind?)"
        }
      }
    }
    #expect(kinds[..<100].allSatisfy { $0 == "true" })
    #expect(kinds[100...].allSatisfy { $0.contains("overloaded") })
  }

  @Test("the server cancels a statement at its timeout, and its neighbours and the connection are unharmed")
  func statementTimeout() async throws {
    let (kinds, pids) = try await TestDatabase.run({
      ($0.readers, $0.statementTimeoutMilliseconds, $0.graceMilliseconds) = (1, 200, 10_000)
    }) {
      database in
      let before = try await database.query("SELECT pg_backend_pid()")[0].decode(Int.self, 0)
      let results = await concurrently(20, on: database.loop) { index in
        if index == 7 {
          _ = try await database.query("SELECT pg_sleep(2)")
        } else {
          _ = try await database.query("SELECT 1")
        }
      }
      let after = try await database.query("SELECT pg_backend_pid()")[0].decode(Int.self, 0)
      let kinds = results.map { result in
        if case .failure(let error as PostgresError) = result { "\(error.kind)" } else { "fine" }
      }
      return (kinds, [before, after])
    }
    #expect(kinds == (0..<20).map { $0 == 7 ? "timeout" : "fine" })
    #expect(pids[0] == pids[1])
  }

  @Test("a statement times out behind slow neighbours, and the connection stays usable")
  func deadline() async throws {
    let (kinds, pids, milliseconds) = try await TestDatabase.run({
      ($0.readers, $0.statementTimeoutMilliseconds, $0.graceMilliseconds) = (1, 1_000, 500)
    }) { database in
      let before = try await database.query("SELECT pg_backend_pid()")[0].decode(Int.self, 0)
      let start = Clock.monotonic()
      // Each takes less than its timeout; together they take longer than the last one waits.
      let results = await concurrently(10, on: database.loop) { _ in
        _ = try await database.query("SELECT pg_sleep(0.7)")
      }
      let milliseconds = Int((Clock.monotonic() - start) / 1_000_000)
      let kinds = results.map { result in
        if case .failure(let error as PostgresError) = result { "\(error.kind)" } else { "fine" }
      }
      // Asks on the writer's connection until the reader's has run all of them.
      let state = Statement("test.state", "SELECT state = 'idle' FROM pg_stat_activity WHERE pid = $1")
      while try await !database.write(state, Int64(before))[0].decode(Bool.self, 0) {
        await database.loop.sleep(nanoseconds: 20_000_000)
      }
      let after = try await database.query("SELECT pg_backend_pid()")[0].decode(Int.self, 0)
      return (kinds, [before, after], milliseconds)
    }
    #expect(kinds == Array(repeating: "timeout", count: 10))
    // Less than the statements take together.
    #expect(milliseconds < 7_000)
    #expect(pids[0] == pids[1])
  }

  @Test("a transaction may have a longer timeout of its own")
  func transactionTimeout() async throws {
    let kinds = try await TestDatabase.run({ ($0.statementTimeoutMilliseconds, $0.graceMilliseconds) = (500, 1_000) }) {
      database in
      let results = await concurrently(2, on: database.loop) { index in
        try await database.transaction(timeoutMilliseconds: index == 0 ? 5_000 : nil) { transaction in
          _ = try await transaction.query("SELECT pg_sleep(2)")
        }
      }
      return results.map { result in
        if case .failure(let error as PostgresError) = result { "\(error.kind)" } else { "fine" }
      }
    }
    #expect(kinds == ["fine", "timeout"])
  }

  @Test("each read in a burst of many statements gets its own outcome, whichever of them fail")
  func mixedBurst() async throws {
    let wrong = try await TestDatabase.run({ ($0.readers, $0.queueLength) = (2, 5_000) }) { database in
      let statements = (0..<40).map { Statement("test.burst\($0)", "SELECT \($0) + $1 / $2") }
      let results = await concurrently(2_000, on: database.loop) { index in
        if index % 3 == 0 { await database.loop.sleep(nanoseconds: UInt64(index % 7) * 300_000) }
        let divisor: Int64 = index % 11 == 0 ? 0 : 1
        return try await database.query(statements[index % 40], Int64(index), divisor)[0].decode(Int.self, 0)
      }
      return results.enumerated().filter { index, result in
        switch result {
        case .success(let value): index % 11 == 0 || value != index % 40 + index
        case .failure(let error): index % 11 != 0 || (error as? PostgresError)?.sqlState != "22012"
        }
      }.map { "\($0.offset): \($0.element)" }
    }
    #expect(wrong == [])
  }

  @Test("the observer is called once for every execution, with its error")
  func observer() async throws {
    final class Notes: QueryObserver {
      var lines: [String] = []
      func queryFinished(
        statement: Int, name: String, startedAt: UInt64, durationNanoseconds: UInt64, error: PostgresError?
      ) {
        lines.append("\(name) \(statement > 0) \(error?.sqlState ?? "-")")
      }
    }
    let lines = try await TestDatabase.run { database in
      let notes = Notes()
      database.observer = notes
      let statement = Statement("test.observed", "SELECT 1 / $1")
      _ = try await database.query(statement, Int64(1))
      _ = try? await database.query(statement, Int64(0))
      try await database.execute("SELECT 1", name: "adHoc")
      try await database.transaction { _ = try await $0.query(statement, Int64(1)) }
      return notes.lines
    }
    #expect(
      lines == [
        "test.observed true -", "test.observed true 22012", "adHoc false -", "test.observed true -", "commit true -",
      ])
  }
}
