extension Transaction {
  /// Reads a large result in chunks of `chunkRows` rows by a cursor, so that memory stays constant.
  ///
  /// The next chunk is fetched when `body` has returned. Rows are those of the transaction's snapshot: with
  /// `.repeatableRead` several streams see the same state.
  package func stream(
    _ sql: SQL, name: String = "stream", chunkRows: Int, _ body: (Rows) async throws -> Void
  ) async throws {
    streamCount += 1
    let cursor = "stream_\(streamCount)"
    try await execute("DECLARE \(unescaped: cursor) NO SCROLL CURSOR FOR \(sql)", name: name)
    let fetch: SQL = "FETCH FORWARD \(unescaped: String(chunkRows)) FROM \(unescaped: cursor)"
    while true {
      let rows = try await query(fetch, name: name)
      if !rows.isEmpty { try await body(rows) }
      if rows.count < chunkRows { break }
    }
    try await execute("CLOSE \(unescaped: cursor)", name: name)
  }
}
