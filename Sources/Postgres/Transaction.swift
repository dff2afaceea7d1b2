/// How far a transaction is isolated from others that run at the same time.
package enum Isolation: Sendable {
  case readCommitted
  case repeatableRead
}

/// An open transaction, to be used only inside the closure it was given to, one statement after another.
package final class Transaction {
  private static let begin = Statement("begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
  private static let beginReading = Statement("begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
  private static let beginRepeatable = Statement("begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE")
  private static let beginRepeatableReading = Statement("begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
  private static let commitStatement = Statement("commit", "COMMIT")
  private static let rollbackStatement = Statement("rollback", "ROLLBACK")

  package let database: Database
  private let connection: PostgresConnection
  private let generation: Int
  private let timeoutMilliseconds: Int?
  private let begin: Statement
  private var hasBegun = false
  private var hasEnded = false
  /// The first error of a statement: from then on the server refuses everything but the end.
  private var failure: PostgresError?
  var streamCount = 0

  init(
    _ database: Database, _ connection: PostgresConnection, _ isolation: Isolation, isReadOnly: Bool,
    timeoutMilliseconds: Int?
  ) {
    self.database = database
    self.connection = connection
    self.timeoutMilliseconds = timeoutMilliseconds
    generation = connection.generation
    begin =
      switch isolation {
      case .readCommitted: isReadOnly ? Self.beginReading : Self.begin
      case .repeatableRead: isReadOnly ? Self.beginRepeatableReading : Self.beginRepeatable
      }
  }

  /// Runs a statement and returns its rows. After an error only the end of the transaction is left.
  ///
  /// Throws as `Database.query` does, and `.misuse` once the transaction has ended.
  package func query<each Parameter: PostgresEncodable>(
    _ statement: Statement, _ parameters: repeat each Parameter
  ) async throws(PostgresError) -> Rows {
    let operation = database.takeOperation(.transactional)
    operation.statement = statement
    repeat operation.parameters.append(each parameters)
    return try await run(operation)
  }

  /// Like `query` with a `Statement`, for one that is parsed each time.
  package func query(_ sql: SQL, name: String = "sql") async throws(PostgresError) -> Rows {
    try await run(database.operation(.transactional, sql, name))
  }

  /// Like `query`, but returns how many rows were changed.
  @discardableResult
  package func execute<each Parameter: PostgresEncodable>(
    _ statement: Statement, _ parameters: repeat each Parameter
  ) async throws(PostgresError) -> Int {
    try await query(statement, repeat each parameters).affectedCount
  }

  /// Like `execute` with a `Statement`, for one that is parsed each time.
  @discardableResult
  package func execute(_ sql: SQL, name: String = "sql") async throws(PostgresError) -> Int {
    try await query(sql, name: name).affectedCount
  }

  /// Runs several statements, without parameters, from our own text, for example a migration.
  package func script(_ text: String, name: String = "script") async throws(PostgresError) {
    // BEGIN is answered first: a script can only be sent when nothing else is in flight.
    if !hasBegun { _ = try await query("SELECT", name: "begin") }
    let operation = database.takeOperation(.script)
    operation.text = text
    operation.name = name
    _ = try await run(operation)
  }

  /// Limits how long each further statement waits for a lock of another transaction; see `PostgresError.isLockTimeout`.
  package func limitLocks(milliseconds: Int) async throws(PostgresError) {
    try await execute("SET LOCAL lock_timeout = \(unescaped: String(milliseconds))", name: "set")
  }

  /// Limits how long each further statement may take before the server cancels it.
  package func limitStatements(milliseconds: Int) async throws(PostgresError) {
    try await execute("SET LOCAL statement_timeout = \(unescaped: String(milliseconds))", name: "set")
  }

  private func run(_ operation: Operation) async throws(PostgresError) -> Rows {
    if let fault = failure ?? operation.parameters.fault ?? obstacle {
      database.release(operation)
      throw fault
    }
    if !hasBegun { sendBegin() }
    setTimeout(of: operation)
    do throws(PostgresError) {
      return try await database.run(operation, on: connection)
    } catch {
      failure = error
      throw error
    }
  }

  private var obstacle: PostgresError? {
    if hasEnded { return PostgresError(.misuse, "the transaction is over") }
    if isLost { return Self.connectionLost }
    return nil
  }

  private static var connectionLost: PostgresError {
    PostgresError(.unavailable, "the transaction's connection was lost")
  }

  /// Whether the connection was lost since the transaction got it.
  var isLost: Bool { !connection.isReady || connection.generation != generation }

  /// Sends BEGIN in the same turn as the first statement, so that it costs no round trip. No task waits for its answer:
  /// if it fails, the first statement is skipped and fails with the same error.
  private func sendBegin() {
    hasBegun = true
    let operation = database.takeOperation(.transactional)
    operation.statement = begin
    sendUnawaited(operation)
    guard let timeoutMilliseconds else { return }
    sendUnawaited(
      database.operation(
        .transactional, "SET LOCAL statement_timeout = \(unescaped: String(timeoutMilliseconds))", "set"))
  }

  private func sendUnawaited(_ operation: Operation) {
    // The server may hold its answer back until the first statement's.
    setTimeout(of: operation)
    connection.send(operation)
    database.release(operation)
  }

  private func setTimeout(of operation: Operation) {
    guard let timeoutMilliseconds else { return }
    let grace = database.configuration.graceMilliseconds
    operation.timeoutNanoseconds = timeoutMilliseconds == 0 ? 0 : UInt64(timeoutMilliseconds + grace) * 1_000_000
  }

  // MARK: The end

  /// Commits, or throws why not; with `outcomeIsUnknown` the server has not answered.
  func commit() async throws(PostgresError) {
    hasEnded = true
    if !hasBegun { return }
    if isLost { throw Self.connectionLost }
    let operation = database.takeOperation(.commit)
    operation.statement = Self.commitStatement
    setTimeout(of: operation)
    let rows = try await database.run(operation, on: connection)
    // The server answers ROLLBACK to the COMMIT of a transaction in which something has failed.
    guard rows.commandTag == "COMMIT" else {
      throw failure ?? PostgresError(.server, "the transaction was rolled back")
    }
  }

  /// Rolls back; a connection on which that fails is opened anew.
  func rollback() async {
    hasEnded = true
    guard hasBegun, !isLost else { return }
    let operation = database.takeOperation(.transactional)
    operation.statement = Self.rollbackStatement
    do throws(PostgresError) {
      _ = try await database.run(operation, on: connection)
    } catch {
      if !isLost { connection.lose(error) }
    }
  }
}
