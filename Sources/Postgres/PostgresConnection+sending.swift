import CPostgres
import Reactor

extension PostgresConnection {
  /// How long a segment of several commands may take, in statement timeouts.
  private static let patience: UInt64 = 3

  /// Sends an operation, with the syncs that its kind needs. The connection must be ready.
  func send(_ operation: Operation) {
    operation.isInFlight = true
    if pipeline.isEmpty { lastProgress = loop.now }
    watchDeadline(of: operation)
    if operation.kind == .script { return sendScript(operation) }
    let sharing: Pipeline<Operation>.Sharing =
      operation.kind == .read && !operation.isIsolated ? .independent : .united
    // Within a transaction, what is sent in one turn is one unit anyway.
    var isSent = true
    if let open = pipeline.openSegment, open != sharing || (sharing == .united && role != .transactions) {
      isSent = sync()
    }
    if let statement = operation.statement {
      isSent = isSent && prepare(statement, operation, sharing) && execute(statement, operation)
    } else {
      isSent = isSent && execute(text: operation.text, operation)
    }
    // In the pipeline even if it was not sent: losing the connection takes it from there.
    pipeline.sentCommand(operation, sharing)
    if isSent { flushAtEndOfTurn() } else { lose(complaint()) }
  }

  /// Ends the open segment. libpq 15 sends what is buffered with it.
  func sync() -> Bool {
    pipeline.sentSync()
    return PQpipelineSync(handle) == 1
  }

  private func prepare(
    _ statement: Statement, _ operation: Operation, _ sharing: Pipeline<Operation>.Sharing
  ) -> Bool {
    let (step, version) = prepared.use(statement.id, signature: operation.parameters.signature)
    operation.version = version
    switch step {
    case .nothing:
      return true
    case .replace(let old):
      pipeline.sentSilent(sharing)
      let text = "DEALLOCATE \(statement.preparedName(old))"
      guard PQsendQueryParams(handle, text, 0, nil, nil, nil, nil, 1) == 1 else { return false }
    case .prepare: break
    }
    pipeline.sentPrepare(statement: statement.id, version: version, sharing)
    let types = operation.parameters.types
    return PQsendPrepare(handle, statement.preparedName(version), statement.text, Int32(types.count), types) == 1
  }

  private func execute(_ statement: Statement, _ operation: Operation) -> Bool {
    withPointers(operation.parameters) { values in
      PQsendQueryPrepared(
        handle, statement.preparedName(operation.version), Int32(operation.parameters.count), values,
        operation.parameters.lengths,
        operation.parameters.formats, 1) == 1
    }
  }

  private func execute(text: String, _ operation: Operation) -> Bool {
    withPointers(operation.parameters) { values in
      PQsendQueryParams(
        handle, text, Int32(operation.parameters.count), operation.parameters.types, values,
        operation.parameters.lengths, operation.parameters.formats, 1) == 1
    }
  }

  /// Calls `body` with one pointer for each parameter, nil for NULL. libpq copies what they point to.
  private func withPointers(
    _ parameters: borrowing ParameterBuffer, _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Bool
  ) -> Bool {
    let (count, offsets, lengths) = (parameters.count, parameters.offsets, parameters.lengths)
    return parameters.bytes.withUnsafeBytes { bytes in
      withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(count, 1)) { pointers in
        for index in 0..<count {
          // An empty value of an empty buffer still needs an address: nil would be NULL.
          let base = bytes.baseAddress ?? UnsafeRawPointer(pointers.baseAddress!)
          let pointer = (base + offsets[index]).assumingMemoryBound(to: CChar.self)
          pointers.initializeElement(at: index, to: lengths[index] < 0 ? nil : pointer)
        }
        return body(UnsafePointer(pointers.baseAddress))
      }
    }
  }

  /// Sends several statements as text, which only the simple protocol takes; the pipeline must be empty.
  private func sendScript(_ operation: Operation) {
    script = operation
    guard pipeline.isEmpty, PQexitPipelineMode(handle) == 1, PQsendQuery(handle, operation.text) == 1 else {
      return lose(complaint())
    }
    flushAtEndOfTurn()
  }

  // MARK: Deadlines

  private func watchDeadline(of operation: Operation) {
    if operation.timeoutNanoseconds == 0 { return }
    // A resent operation keeps the deadline it had.
    if operation.deadline == .max { operation.deadline = loop.now &+ operation.timeoutNanoseconds }
    lookAtDeadlines(by: operation.deadline)
  }

  /// Schedules `checkDeadlines` for `deadline` at the latest.
  private func lookAtDeadlines(by deadline: UInt64) {
    if let timer = deadlineTimer {
      if timer.deadline <= deadline { return }
      // The timer is for something with a later deadline, that was answered long ago or sent just now.
      loop.cancel(timer)
    }
    let wait = deadline > loop.now ? deadline - loop.now : 0
    deadlineTimer = loop.schedule(afterNanoseconds: wait) { self.checkDeadlines() }
  }

  /// Fails the operations whose deadline has passed, and judges what that says about the connection.
  private func checkDeadlines() {
    deadlineTimer = nil
    var expired: [Operation] = []
    var next = UInt64.max
    func look(_ operation: Operation) {
      if operation.isSettled { return }
      if operation.deadline <= loop.now { expired.append(operation) } else { next = min(next, operation.deadline) }
    }
    pipeline.forEachCommand(look)
    if let script { look(script) }
    if let first = expired.first {
      for operation in expired {
        operation.settle(.failure(operation.unanswered(.timeout, "no answer within the deadline")))
      }
      judgeSilence(first.timeoutNanoseconds)
    }
    // A waiter that just failed may have sent something with a later deadline.
    if isReady, next != .max { lookAtDeadlines(by: next) }
  }

  /// Gives the connection up if nothing has come for as long as one statement may take: the server would have cancelled
  /// a single statement, so it is frozen. It sends the answers of a segment together, though: behind several statements
  /// it may only be slow, so the other connections are probed, and this one has `patience` timeouts.
  private func judgeSilence(_ timeoutNanoseconds: UInt64) {
    let silence = loop.now &- lastProgress
    if silence < timeoutNanoseconds { return }
    if role == .transactions || pipeline.firstSegmentCount <= 1 { return giveUp() }
    if silence >= Self.patience * timeoutNanoseconds {
      lose(PostgresError(.unavailable, "the server is too slow"))
    } else {
      database?.suspect(except: self)
    }
  }

  private func giveUp(speaksForOthers: Bool = true) {
    lose(PostgresError(.unavailable, "the server does not answer"), isFrozen: speaksForOthers)
  }

  /// Probes the server by a sync. Without an answer in time the connection is lost, and the others are probed if it
  /// `speaksForOthers`; one with an overdue command is lost at once. A busy transaction, which may take long, has its
  /// own deadlines and is not probed.
  func probe(speaksForOthers: Bool = true) {
    guard isReady, probeTimer == nil, role != .transactions || !isBusy else { return }
    if let waiting = pipeline.firstCommand, waiting.deadline <= loop.now { return giveUp() }
    let asked = loop.now
    guard pipeline.openSegment == nil || sync(), sync() else { return lose(complaint()) }
    flushAtEndOfTurn()
    let patience = UInt64(database?.configuration.probeTimeoutMilliseconds ?? 0) * 1_000_000
    probeTimer = loop.schedule(afterNanoseconds: patience) {
      self.probeTimer = nil
      if self.lastProgress <= asked { self.giveUp(speaksForOthers: speaksForOthers) }
    }
  }
}
