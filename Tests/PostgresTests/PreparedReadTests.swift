import Postgres
import Reactor
import Testing

@Suite("Reads without a task")
struct PreparedReadTests {
  private static let quotient = Statement("test.quotient.prepared", "SELECT $1 / $2")

  private static func text(_ result: Result<Rows, PostgresError>) -> String {
    switch result {
    case .success(let rows): (try? rows[0].decode(Int64.self, 0)).map { "\($0)" } ?? "?"
    case .failure(let error): error.sqlState ?? "\(error.kind)"
    }
  }

  @Test("each get their own outcome, once, also when others fail beside them")
  func outcomes() async throws {
    let outcomes = try await TestDatabase.run { database in
      var outcomes = Array(repeating: "", count: 200)
      var left = outcomes.count
      let done = Pending<Void>()
      for index in outcomes.indices {
        database.prepared(Self.quotient, Int64(index), Int64(index % 5 == 0 ? 0 : 1)).rows { result in
          outcomes[index] += Self.text(result)
          left -= 1
          if left == 0 { done.complete(.success(())) }
        }
      }
      try await done.value()
      return outcomes
    }
    #expect(outcomes == (0..<200).map { $0 % 5 == 0 ? "22012" : "\($0)" })
  }

  @Test("may send the next one from their callback, a thousand times")
  func chain() async throws {
    let sum = try await TestDatabase.run { database in
      var sum: Int64 = 0
      let done = Pending<Void>()
      func next(_ number: Int64) {
        if number > 1_000 { return done.complete(.success(())) }
        database.prepared(Self.quotient, number, Int64(1)).rows { result in
          sum += (try? result.get()[0].decode(Int64.self, 0)) ?? 0
          next(number + 1)
        }
      }
      next(1)
      try await done.value()
      return sum
    }
    #expect(sum == 500_500)
  }

  @Test("fail when the database is closed, both those that wait and those that are sent afterwards")
  func failures() async throws {
    let outcomes = try await TestDatabase.run { database in
      var outcomes: [String] = []
      database.prepared(Self.quotient, Int64(1), Int64(1)).rows { outcomes.append(Self.text($0)) }
      database.close()
      database.prepared(Self.quotient, Int64(1), Int64(1)).rows { outcomes.append(Self.text($0)) }
      await database.loop.sleep(nanoseconds: 1)
      return outcomes
    }
    #expect(outcomes == ["unavailable", "unavailable"])
  }
}
