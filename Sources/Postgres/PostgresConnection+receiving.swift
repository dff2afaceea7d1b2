import CPostgres
import Reactor

extension PostgresConnection {
  /// Reads what has come and processes every complete answer.
  func receive() {
    guard PQconsumeInput(handle) == 1 else { return lose(complaint()) }
    lastProgress = loop.now
    if script != nil { return receiveScript() }
    // Without this condition PQgetResult would return nil for ever once everything is answered.
    while isReady, !pipeline.isEmpty, PQisBusy(handle) == 0 {
      // Nil marks the end of one command's results.
      if let result = PQgetResult(handle) { received(result) }
    }
    if isReady, PQstatus(handle) == CONNECTION_BAD { lose(complaint()) }
  }

  private func received(_ result: OpaquePointer) {
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
      act(pipeline.received(.success), result)
      return
    case PGRES_PIPELINE_SYNC:
      act(pipeline.received(.sync), nil)
    case PGRES_PIPELINE_ABORTED:
      act(pipeline.received(.aborted), nil)
    case PGRES_FATAL_ERROR:
      let error = PostgresError(result: result)
      if PostgresError.isFatal(result) || PQstatus(handle) == CONNECTION_BAD {
        lose(error)
      } else {
        act(pipeline.received(.failure(error)), nil)
      }
    default:
      lose(PostgresError(.misuse, "the server answered with what a pipeline cannot hold, such as COPY"))
    }
    PQclear(result)
  }

  /// Does what the pipeline says; takes over `result`.
  private func act(_ action: Pipeline<Operation>.Action, _ result: OpaquePointer?) {
    switch action {
    case .deliver(let operation):
      // The caller owns the rows from here on.
      if let result { finish(operation, .rows(Rows(result))) }
      return
    case .hold(let operation):
      if let result { operation.held = Rows(result) }
      return
    case .complete(let operations):
      for operation in operations { if let rows = operation.held { finish(operation, .rows(rows)) } }
    case .fail(let operations, let error):
      forgetUnprepared()
      for operation in operations { failed(operation, error) }
    case .resend(let operations):
      forgetUnprepared()
      for operation in operations { resend(operation, PostgresError(.unavailable, "the statement was not answered")) }
    case .outOfStep:
      lose(PostgresError(.unavailable, "the server answered a statement that was not sent"))
    case .none: break
    }
    if let result { PQclear(result) }
  }

  private func forgetUnprepared() {
    for (statement, version) in pipeline.takeUnprepared() { prepared.forget(statement, version: version) }
  }

  private func failed(_ operation: Operation, _ error: PostgresError) {
    if error.isStaleStatement, let statement = operation.statement {
      if error.sqlState == "26000" {
        // Whichever version is believed to be prepared by now: it may be one that is about to fail.
        prepared.forget(statement.id)
      } else {
        prepared.markStale(statement.id, version: operation.version)
      }
      // Nothing has happened yet, so even a write may be resent; a transaction has to be begun anew.
      if operation.kind == .read || operation.kind == .write { return resend(operation, error) }
    }
    if error.isReadOnly, operation.kind == .write {
      // The primary has become a standby: connecting again finds the new one, if the connection string names it.
      finish(operation, .failure(PostgresError(.unavailable, error.message)))
      return lose(error)
    }
    finish(operation, .failure(error))
  }

  /// Resends an operation, between syncs of its own; one that cannot be resent fails with `error`.
  private func resend(_ operation: Operation, _ error: PostgresError) {
    guard isReady, !operation.isSettled, operation.resends < Operation.maximumResends else {
      return finish(operation, .failure(error))
    }
    operation.resends += 1
    operation.held = nil
    operation.isIsolated = true
    send(operation)
  }

  /// Settles an operation that is no longer in the pipeline.
  func finish(_ operation: Operation, _ outcome: Operation.Outcome) {
    operation.isInFlight = false
    operation.settle(outcome)
    database?.retire(operation)
  }

  private func receiveScript() {
    while isReady, let operation = script, PQisBusy(handle) == 0 {
      guard let result = PQgetResult(handle) else { return finishScript(operation) }
      switch PQresultStatus(result) {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
        operation.held = Rows(result)
      case PGRES_FATAL_ERROR:
        let error = PostgresError(result: result)
        let isFatal = PostgresError.isFatal(result) || PQstatus(handle) == CONNECTION_BAD
        PQclear(result)
        if isFatal { return lose(error) }
        scriptError = scriptError ?? error
      default:
        PQclear(result)
        return lose(PostgresError(.misuse, "a script must not COPY"))
      }
    }
  }

  private func finishScript(_ operation: Operation) {
    script = nil
    let error = scriptError.take()
    guard PQenterPipelineMode(handle) == 1 else { return lose(complaint()) }
    if let error {
      finish(operation, .failure(error))
    } else if let rows = operation.held {
      finish(operation, .rows(rows))
    }
  }
}
