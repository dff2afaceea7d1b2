/// A read that is ready to be sent, once: a statement with its parameters.
package struct PreparedRead {
  fileprivate let operation: Operation
  fileprivate let database: Database

  /// Sends it and waits for its rows; see `Database.query`.
  package func rows() async throws(PostgresError) -> Rows {
    try await database.run(operation, in: database.readers)
  }

  /// Sends it and calls `receive` with its rows, once: within the turn in which they come, or at once if it cannot be
  /// sent. Costs no task.
  package func rows(_ receive: @escaping (Result<Rows, PostgresError>) -> Void) {
    let connection: PostgresConnection
    do throws(PostgresError) {
      connection = try database.connection(for: operation, in: database.readers)
    } catch {
      return receive(.failure(error))
    }
    database.run(operation, on: connection, receive)
  }
}

extension Database {
  /// Prepares a read, which must then be sent.
  package func prepared<each Parameter: PostgresEncodable>(
    _ statement: Statement, _ parameters: repeat each Parameter
  ) -> PreparedRead {
    let operation = takeOperation(.read)
    operation.statement = statement
    repeat operation.parameters.append(each parameters)
    return PreparedRead(operation: operation, database: self)
  }
}
