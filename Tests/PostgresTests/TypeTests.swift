import Postgres
import Testing
import Values

@Suite("Values and the server's types")
struct TypeTests {
  /// Sends each of `values` to the server as `type`; returns them as they come back, and as the server's text of them.
  private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Sendable>(
    _ values: [Value], as type: String
  ) async throws -> (values: [Value], texts: [String?]) {
    let pairs = try await TestDatabase.run { database in
      var pairs: [(Value, String?)] = []
      for value in values {
        let rows = try await database.query(
          "SELECT \(value)::\(unescaped: type), (\(value)::\(unescaped: type))::text")
        pairs.append(try rows[0].decode((Value.self, String?.self)))
      }
      return pairs
    }
    return (pairs.map(\.0), pairs.map(\.1))
  }

  @Test("integers come back at their bounds")
  func integers() async throws {
    let int8: [Int64] = [.min, -1, 0, 1, .max]
    let eight = try await roundTrip(int8, as: "int8")
    #expect(eight.values == int8)
    #expect(eight.texts == int8.map { "\($0)" })
    let int4: [Int32] = [.min, -1, 0, 1, .max]
    #expect(try await roundTrip(int4, as: "int4").values == int4)
    let int2: [Int16] = [.min, -1, 0, 1, .max]
    #expect(try await roundTrip(int2, as: "int2").values == int2)
    #expect(try await roundTrip([Int.min, Int.max], as: "int8").values == [Int.min, Int.max])
    #expect(try await roundTrip([true, false], as: "bool").values == [true, false])
  }

  @Test("floating point numbers come back bit by bit")
  func floats() async throws {
    let doubles: [Double] = [
      0, -0.0, 0.1, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity, -.infinity, .nan,
    ]
    let back = try await roundTrip(doubles, as: "float8")
    #expect(back.values.map(\.bitPattern) == doubles.map(\.bitPattern))
    let floats: [Float] = [0, -0.0, 0.1, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity]
    #expect(try await roundTrip(floats, as: "float4").values == floats)
  }

  @Test("text and bytes come back whole, whatever they contain")
  func text() async throws {
    let texts = [
      "", "'; DROP TABLE users; --", "Käse 🧀 \u{1F468}\u{200D}\u{1F33E}", "a\nb\tc\\",
      String(repeating: "é", count: 100_000),
    ]
    let back = try await roundTrip(texts, as: "text")
    #expect(back.values == texts)
    #expect(back.texts == texts)
    #expect(try await roundTrip(["fünf"], as: "varchar(4)").values == ["fünf"])
    let blob: [UInt8] = Array(0...255)
    #expect(try await roundTrip([[], blob], as: "bytea").values == [[], blob])
  }

  @Test("a text that contains U+0000 is refused before it is sent")
  func nul() async throws {
    let kinds = try await TestDatabase.run { database in
      let errors = [
        await postgresError { _ = try await database.query("SELECT \("a\0b")") },
        await postgresError { _ = try await database.query("SELECT \(["fine", "a\0b"])") },
        await postgresError { _ = try await database.query("SELECT 1") },
      ]
      return errors.map { $0?.kind }
    }
    #expect(kinds == [.misuse, .misuse, nil])
  }

  @Test("ids, times, days and JSON come back and mean the same to the server")
  func values() async throws {
    let ids = [
      Identifier(high: 0, low: 0), Identifier(high: .max, low: .max), .make(unixMilliseconds: 1_700_000_000_000),
    ]
    let uuids = try await roundTrip(ids, as: "uuid")
    #expect(uuids.values == ids)
    #expect(uuids.texts == ids.map(\.description))
    let times = [
      "1970-01-01T00:00:00.000Z", "1999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z",
    ]
    .map { Timestamp($0)! }
    let stamps = try await roundTrip(times, as: "timestamptz")
    #expect(stamps.values == times)
    #expect(stamps.texts[1] == "1999-12-31 23:59:59.999+00")
    let days = [
      CivilDate(year: 1999, month: 12, day: 31)!, CivilDate(year: 1, month: 1, day: 1)!,
      CivilDate(year: 9999, month: 2, day: 28)!,
    ]
    let dates = try await roundTrip(days, as: "date")
    #expect(dates.values == days)
    #expect(dates.texts == ["1999-12-31", "0001-01-01", "9999-02-28"])
    let json = PostgresJSON(Array(#"{"a": [1, null, "ü"]}"#.utf8))
    #expect(try await roundTrip([json], as: "jsonb").values == [json])
    #expect(try await roundTrip([#"{"b": 2}"#], as: "jsonb").values == [#"{"b": 2}"#])
  }

  @Test("a time beyond the server's range compares as infinity")
  func infinity() async throws {
    let answers = try await TestDatabase.run { database in
      let rows = try await database.query(
        """
        SELECT \(Timestamp(unixMilliseconds: .max))::text, \(Timestamp(unixMilliseconds: .min))::text,
          now() < \(Timestamp(unixMilliseconds: .max))
        """)
      return try rows[0].decode((String.self, String.self, Bool.self))
    }
    #expect(answers == ("infinity", "-infinity", true))
  }

  @Test("NULL is an Optional's nil, both ways")
  func null() async throws {
    #expect(try await roundTrip([nil, 5] as [Int64?], as: "int8").values == [nil, 5])
    #expect(try await roundTrip([nil, ""] as [String?], as: "text").values == [nil, ""])
    #expect(
      try await roundTrip([nil, Identifier(high: 1, low: 2)], as: "uuid").values == [nil, Identifier(high: 1, low: 2)])
  }

  @Test("arrays arrive with their NULLs, and an empty one is empty")
  func arrays() async throws {
    let texts = try await TestDatabase.run { database in
      let id = Identifier(high: 1, low: 2)
      let time = Timestamp("2026-11-21T09:30:00.123Z")!
      let none: [Int64] = []
      let rows = try await database.query(
        """
        SELECT \([1, nil, 3] as [Int64?])::text, \(none)::text, \(["a,b", nil, "\"q\"", ""] as [String?])::text,
          \([id])::text, \([time])::text, \([1.5, nil] as [Double?])::text, \([Int32(7)])::text, \([true, nil])::text,
          \([[1, 2], nil] as [[UInt8]?])::text, \([CivilDate(time)])::text, \([Int16(-1)])::text,
          \([PostgresJSON(Array("[1]".utf8))])::text
        """)
      return try (0..<12).map { try rows[0].decode(String.self, $0) }
    }
    #expect(
      texts == [
        "{1,NULL,3}", "{}", #"{"a,b",NULL,"\"q\"",""}"#, "{00000000-0000-0001-0000-000000000002}",
        #"{"2026-11-21 09:30:00.123+00"}"#, "{1.5,NULL}", "{7}", "{t,NULL}", #"{"\\x0102",NULL}"#, "{2026-11-21}",
        "{-1}",
        "{[1]}",
      ])
  }

  @Test("arrays come back in order, an empty one too")
  func arraysBack() async throws {
    let integers: [Int64] = [.min, 0, .max]
    let doubles: [Double] = [-0.5, .infinity, 1e300]
    let times = [Timestamp("1999-12-31T23:59:59.999Z")!, Timestamp("2026-11-21T09:30:00.000Z")!]
    let texts = ["", "fünf", "a,b"]
    let none: [Double] = []
    let row = try await TestDatabase.run { database in
      let row = try await database.query(
        "SELECT \(integers), \(doubles), \(times), \(texts), \(none), array_agg(1.5::float8) FILTER (WHERE false)")[0]
      return try row.decode(
        ([Int64].self, [Double].self, [Timestamp].self, [String].self, [Double].self, [Double]?.self))
    }
    #expect(row.0 == integers)
    #expect(row.1 == doubles)
    #expect(row.2 == times)
    #expect(row.3 == texts)
    #expect(row.4 == none)
    #expect(row.5 == nil)
  }

  @Test(
    "arrays of another type, with NULLs or of two dimensions are errors",
    arguments: [
      "ARRAY[1]::int4[]", "ARRAY[1, NULL]::float8[]", "ARRAY[[1], [2]]::float8[]", "NULL::float8[]", "1.5::float8",
    ])
  func foreignArrays(_ expression: String) async throws {
    let error = try await TestDatabase.run { database in
      let row = try await database.query("SELECT \(unescaped: expression) AS numbers")[0]
      return await postgresError { _ = try row.decode([Double].self, 0) }
    }
    #expect(error?.kind == .misuse)
    #expect(error?.message.hasPrefix("column numbers holds") == true)
  }

  @Test("a column of another type is an error that names the column")
  func mismatch() async throws {
    let messages = try await TestDatabase.run { database in
      let row = try await database.query(
        "SELECT 1.5::numeric AS price, NULL::int8 AS missing, 'x'::text AS word, 'infinity'::timestamptz AS never")[0]
      var messages: [String] = []
      func note<Value: PostgresDecodable>(_ type: Value.Type, _ column: Int) {
        do throws(PostgresError) {
          _ = try row.decode(type, column)
        } catch {
          messages.append("\(error.kind) \(error.message)")
        }
      }
      note(Int64.self, 0)
      note(Int64.self, 1)
      note(Int64.self, 2)
      note(Timestamp.self, 3)
      note(Bool.self, 2)
      return messages
    }
    #expect(
      messages == [
        "misuse column price holds type 1700, not an integer", "misuse column missing holds NULL, not an integer",
        "misuse column word holds type 25, not an integer",
        "misuse column never holds type 1184, not a finite timestamptz",
        "misuse column word holds type 25, not bool",
      ])
  }

  @Test("enums are text both ways")
  func enums() async throws {
    let answer = try await TestDatabase.runInSchema(
      "CREATE TYPE state AS ENUM ('open', 'done'); CREATE TABLE tasks (state state, note varchar(9))"
    ) { database in
      try await database.execute("INSERT INTO tasks VALUES (\("done"), \("x" as String?))")
      return try await database.query("SELECT state FROM tasks WHERE state = \("done")")[0].decode(String.self, 0)
    }
    #expect(answer == "done")
  }
}
