import Glibc
import Postgres
import Reactor
import Testing
import Values

/// The private server that the test command has started.
enum TestDatabase {
  /// DATABASE_URL; throws `Missing` if it is not set.
  static func url() throws -> String {
    guard let url = getenv("DATABASE_URL").map({ String(cString: $0) }), !url.isEmpty else {
      throw Missing()
    }
    return url
  }

  struct Missing: Error, CustomStringConvertible {
    var description: String { "DATABASE_URL must name a private Postgres for these tests." }
  }

  /// Runs `body` with a usable database, on a loop with its own thread.
  ///
  /// An expectation in `body` would not be attributed to the test: return what it needs.
  static func run<Value: Sendable>(
    url: String? = nil, connectSeconds: UInt64 = 60,
    _ configure: @Sendable (inout DatabaseConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (Database) async throws -> Value
  ) async throws -> Value {
    var configuration = DatabaseConfiguration(url: try url ?? Self.url())
    // A busy build machine is no reason to fail; tests of these bounds set their own.
    configuration.connectTimeoutMilliseconds = 60_000
    configuration.statementTimeoutMilliseconds = 20_000
    configuration.transactionWaitMilliseconds = 20_000
    configure(&configuration)
    return try await withCheckedThrowingContinuation { continuation in
      do {
        let thread = try SystemThread(name: "test-database") { [configuration] in
          continuation.resume(
            with: Result { try Database.standalone(configuration, connectSeconds: connectSeconds, body) })
        }
        thread.detach()
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  /// Runs `body` as `run` does, in a schema of its own that `setUp` fills; it is first in the search path, and dropped
  /// afterwards.
  static func runInSchema<Value: Sendable>(
    _ setUp: String, _ configure: @Sendable (inout DatabaseConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (Database) async throws -> Value
  ) async throws -> Value {
    let url = try url()
    let schema = "t" + Identifier.make(unixMilliseconds: 0).description.filter { $0 != "-" }
    try await script("CREATE SCHEMA \(schema); SET search_path = \(schema); \(setUp)", url)
    let separator = url.contains("?") ? "&" : "?"
    let result: Result<Value, any Error>
    do {
      let own = "\(url)\(separator)options=-csearch_path%3D\(schema)"
      result = .success(try await run(url: own, configure, body))
    } catch {
      result = .failure(error)
    }
    try await script("DROP SCHEMA \(schema) CASCADE", url)
    return try result.get()
  }

  private static func script(_ text: String, _ url: String) async throws {
    try await run(url: url, { ($0.readers, $0.writers) = (0, 0) }) { database in
      try await database.transaction { transaction in try await transaction.script(text) }
    }
  }
}

/// The database's error that `body` throws; nil if it throws none.
func postgresError(_ body: () async throws -> Void) async -> PostgresError? {
  do { try await body() } catch { return error as? PostgresError }
  return nil
}

/// Runs `count` tasks on the database's loop at once and returns their results in order.
func concurrently<Value>(
  _ count: Int, on loop: EventLoop, _ body: @escaping (Int) async throws -> Value
) async -> [Result<Value, any Error>] {
  var results: [Result<Value, any Error>?] = Array(repeating: nil, count: count)
  var left = count
  let done = Pending<Void>()
  for index in 0..<count {
    loop.spawn {
      do { results[index] = .success(try await body(index)) } catch { results[index] = .failure(error) }
      left -= 1
      if left == 0 { done.complete(.success(())) }
    }
  }
  try? await done.value()
  return results.map { $0! }
}
