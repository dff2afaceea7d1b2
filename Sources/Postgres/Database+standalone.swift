import Reactor

extension Database {
  /// Opens a database on a loop of its own that runs on the calling thread, calls `body`, and closes everything.
  ///
  /// For work before serving, such as migrations, and for commands. The calling thread must have no loop. Throws
  /// `.unavailable` when the database cannot be reached within `connectSeconds`, and what `body` throws.
  package static func standalone<Value>(
    _ configuration: DatabaseConfiguration, connectSeconds: UInt64, _ body: @escaping (Database) async throws -> Value
  ) throws -> Value {
    let loop = try EventLoop(index: 0)
    let database = try Database(loop: loop, configuration: configuration)
    var result: Result<Value, any Error>?
    var complaint = PostgresError(.unavailable, "no answer from the database within \(connectSeconds) s")
    database.onConnectionError = { complaint = $0 }
    loop.spawn {
      if await database.waitUntilUsable(nanoseconds: connectSeconds * 1_000_000_000) {
        do { result = .success(try await body(database)) } catch { result = .failure(error) }
      }
      database.close()
      loop.stop()
    }
    loop.run()
    guard let result else { throw complaint }
    return try result.get()
  }
}
