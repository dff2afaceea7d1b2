extension Database {
  /// Runs a statement that only reads: a `SELECT`, on a session that refuses changes.
  ///
  /// The statement may be sent twice. Throws `.unavailable`, `.overloaded`, `.timeout`, or `.server` with the server's
  /// reason.
  package func query<each Parameter: PostgresEncodable>(
    _ statement: Statement, _ parameters: repeat each Parameter
  ) async throws(PostgresError) -> Rows {
    let operation = takeOperation(.read)
    operation.statement = statement
    repeat operation.parameters.append(each parameters)
    return try await run(operation, in: readers)
  }

  /// Like `query` with a `Statement`, for one that is parsed each time; metrics call it `name`.
  package func query(_ sql: SQL, name: String = "sql") async throws(PostgresError) -> Rows {
    try await run(operation(.read, sql, name), in: readers)
  }

  /// Runs one statement that changes something and returns rows, for example `INSERT … RETURNING`.
  ///
  /// Once it returns, the change is committed. Throws as `query` does; when the error says `outcomeIsUnknown`, the
  /// change may or may not have happened.
  package func write<each Parameter: PostgresEncodable>(
    _ statement: Statement, _ parameters: repeat each Parameter
  ) async throws(PostgresError) -> Rows {
    let operation = takeOperation(.write)
    operation.statement = statement
    repeat operation.parameters.append(each parameters)
    return try await run(operation, in: writers)
  }

  /// Like `write` with a `Statement`, for one that is parsed each time.
  package func write(_ sql: SQL, name: String = "sql") async throws(PostgresError) -> Rows {
    try await run(operation(.write, sql, name), in: writers)
  }

  /// Like `write`, but returns how many rows were changed.
  @discardableResult
  package func execute<each Parameter: PostgresEncodable>(
    _ statement: Statement, _ parameters: repeat each Parameter
  ) async throws(PostgresError) -> Int {
    try await write(statement, repeat each parameters).affectedCount
  }

  /// Like `execute` with a `Statement`, for one that is parsed each time.
  @discardableResult
  package func execute(_ sql: SQL, name: String = "sql") async throws(PostgresError) -> Int {
    try await write(sql, name: name).affectedCount
  }

  func operation(_ kind: Operation.Kind, _ sql: SQL, _ name: String) -> Operation {
    let operation = takeOperation(kind)
    operation.text = sql.text
    operation.name = name
    operation.parameters.append(sql.parameters)
    return operation
  }

  func run(_ operation: Operation, in lane: [PostgresConnection]) async throws(PostgresError) -> Rows {
    try await run(operation, on: try connection(for: operation, in: lane))
  }

  /// Returns the connection to send an operation on; releases the operation and throws if there is none.
  func connection(
    for operation: Operation, in lane: [PostgresConnection]
  ) throws(PostgresError) -> PostgresConnection {
    if let fault = operation.parameters.fault {
      release(operation)
      throw fault
    }
    guard let connection = leastBusy(lane) else {
      release(operation)
      if lane.isEmpty { throw PostgresError(.misuse, "there are no connections of that kind") }
      throw PostgresError(.unavailable, "no connection to the database")
    }
    guard connection.pipeline.commandCount < configuration.queueLength else {
      release(operation)
      throw PostgresError(.overloaded, "\(configuration.queueLength) statements wait on each connection")
    }
    return connection
  }
}
