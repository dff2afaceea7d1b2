import Postgres

extension LiveServer {
  /// Takes the server's database away: its connections are terminated, and Postgres refuses new ones.
  func losePostgres() throws {
    try alterDatabase(allowsConnections: false)
    try administrate { database, name in
      try await database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(name)")
    }
  }

  /// Has Postgres accept the server's connections again.
  func regainPostgres() throws { try alterDatabase(allowsConnections: true) }

  private func alterDatabase(allowsConnections: Bool) throws {
    try administrate { database, name in
      try await database.execute(
        "ALTER DATABASE \(unescaped: name) ALLOW_CONNECTIONS \(unescaped: allowsConnections ? "true" : "false")")
    }
  }

  private func administrate(_ body: @escaping (Database, String) async throws -> Void) throws {
    let name = String(databaseURL[databaseURL.lastIndex(of: "/")!...].dropFirst())
    try Database.standalone(DatabaseConfiguration(url: try TestStores.databaseURL), connectSeconds: 10) {
      try await body($0, name)
    }
  }
}
