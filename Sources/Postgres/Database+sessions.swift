extension Database {
  /// Throws `.configuration` if connections do not keep sessions of their own, as behind a pooler that gives each
  /// transaction another one: prepared statements and time limits would get mixed up.
  ///
  /// Asks each connection which backend serves it, one after the other, twice: by the second time a pooler hands out
  /// the backend that answered last. Call it once, with at least two connections and before any other statement.
  package func requireOwnSessions() async throws {
    var owners: [Int32: Int] = [:]
    var backends: [Int: Int32] = [:]
    for _ in 0..<2 {
      for (index, connection) in (readers + writers).enumerated() where connection.isReady {
        let operation = operation(.read, SQL("SELECT pg_backend_pid()"), "sessions.backend")
        let backend = try await run(operation, on: connection)[0].decode(Int32.self, 0)
        guard owners.updateValue(index, forKey: backend) ?? index == index,
          backends.updateValue(backend, forKey: index) ?? backend == backend
        else {
          throw PostgresError(
            .configuration,
            "a pooler gives each transaction another session (PgBouncer: pool_mode); it must be pool_mode = session, "
              + "or DATABASE_URL must name Postgres itself")
        }
      }
    }
  }

  /// Returns the position in the log, in bytes, of whichever of the readers' servers is furthest behind; nil if one of
  /// them cannot tell.
  ///
  /// All of them have what was committed before that position, for as long as `readerConnections` stays the same.
  package func position() async -> Int64? {
    let connections = readerConnections
    var least: Int64?
    for connection in readers where connection.isReady {
      let operation = operation(.read, SQL("SELECT \(unescaped: Self.reached)"), "sessions.position")
      guard let rows = try? await run(operation, on: connection), let reached = try? rows[0].decode(Int64.self, 0)
      else { return nil }
      least = min(least ?? reached, reached)
    }
    return connections == readerConnections ? least : nil
  }

  /// What a standby has replayed, or a primary has written.
  private static let reached =
    "((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END) - '0/0')::int8"
}
