extension Database {
  /// Throws `.configuration` when connections share sessions of the server, as behind a pooler that gives each
  /// transaction another one: what is prepared, and how long a statement may take, would be anybody's.
  ///
  /// Each connection is asked which backend serves it, one after the other, twice: a pooler has the one free again by
  /// then that answered last. Ask once, with two connections at least and before anything is done.
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

  /// How far the servers that the readers are connected to have come, in bytes of the log: the one that is least far;
  /// nil when one of them cannot say.
  ///
  /// What was committed before that position, all of them have. It holds as long as `readerConnections` stays.
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

  /// Of a standby what it has replayed, else what was written.
  private static let reached =
    "((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END) - '0/0')::int8"
}
