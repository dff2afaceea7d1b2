import Postgres

extension Database {
  /// The mark that tells all servers of commits of which Redis may not have been told.
  func commitMark() async throws -> Int64 {
    try await query("SELECT value FROM commit_mark")[0].decode(Int64.self, 0)
  }
}
