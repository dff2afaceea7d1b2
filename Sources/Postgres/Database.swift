import Reactor

/// One loop's connections to the database: a few pipelined ones for reads and writes, and some for transactions.
///
/// Reads of one turn share a sync; a write stands between two of its own and is done once it is committed. Everything
/// belongs to the loop's thread. Bounds are in `DatabaseConfiguration`. While no connection is ready, everything fails
/// at once with `.unavailable`; connections come back by themselves.
package final class Database {
  /// The most operations kept for reuse.
  static let spareOperations = 1_024

  // Invariant 1: the loop outlives it.
  unowned(unsafe) package let loop: EventLoop
  package let configuration: DatabaseConfiguration
  /// Observes every execution.
  package var observer: (any QueryObserver)?
  /// Called when `isUsable` has changed, with its new value.
  package var onStateChange: ((Bool) -> Void)?
  /// Called when an attempt to connect fails or a connection is lost; for logs.
  package var onConnectionError: ((PostgresError) -> Void)?
  /// Whether reads and writes can be sent now.
  package private(set) var isUsable = false
  /// How many times a reader has connected: while this stays the same, reads go to the same servers.
  package private(set) var readerConnections = 0
  /// Whether a connection has just been ended because it led to a standby.
  var isLeavingStandby = false

  let connectionString: ConnectionString
  let resolver: Resolver
  @exclusivity(unchecked) private(set) var readers: [PostgresConnection] = []
  @exclusivity(unchecked) private(set) var writers: [PostgresConnection] = []
  @exclusivity(unchecked) var transactions = TransactionPool()
  @exclusivity(unchecked) private var spare: [Operation] = []
  private let usable: WaitList

  /// Prepares the connections and begins to open them. Throws `.configuration` if the URL cannot be read.
  package init(
    loop: EventLoop, configuration: DatabaseConfiguration, observer: (any QueryObserver)? = nil
  ) throws(PostgresError) {
    self.loop = loop
    usable = WaitList(on: loop)
    self.configuration = configuration
    self.observer = observer
    do { connectionString = try ConnectionString(configuration.url) } catch {
      throw PostgresError(.configuration, "the database URL \(error)")
    }
    resolver = Resolver(connectionString.endpoints, on: loop)
    readers = (0..<configuration.readers).map { _ in PostgresConnection(.reader, database: self) }
    writers = (0..<configuration.writers).map { _ in PostgresConnection(.writer, database: self) }
    transactions.connections = (0..<configuration.transactionConnections).map { _ in
      PostgresConnection(.transactions, database: self)
    }
    for lane in [readers, writers] { lane.first?.start() }
    // With readers, `isUsable` does not wait for one.
    if readers.isEmpty { transactions.open() }
  }

  private var connections: [PostgresConnection] { readers + writers + transactions.connections }

  /// Closes every connection; what is in flight fails with `.unavailable`.
  package func close() {
    for connection in connections { connection.close() }
    transactions.failWaiters(PostgresError(.unavailable, "the database is closed"))
    refreshState()
  }

  /// The number of connections that work on something, that wait for work, and that are being opened.
  package var connectionCounts: (active: Int, idle: Int, connecting: Int) {
    var counts = (active: 0, idle: 0, connecting: 0)
    for connection in connections where !connection.isDormant {
      if !connection.isReady {
        counts.connecting += 1
      } else if connection.isBusy || transactions.isLent(connection) {
        counts.active += 1
      } else {
        counts.idle += 1
      }
    }
    return counts
  }

  /// Probes every connection, because something else has found the server silent. Those that do not answer within the
  /// probe's timeout are opened anew; while no reader or no writer is left, the database is not usable.
  package func suspect() { suspect(except: nil) }

  /// Probes the idle connections, each for itself: a server that computes a long statement does not answer a probe, and
  /// a dead idle connection says nothing about the busy ones.
  package func suspectIdle() {
    for connection in connections where !connection.isBusy { connection.probe(speaksForOthers: false) }
  }

  func suspect(except trusted: PostgresConnection?) {
    for connection in connections where connection !== trusted { connection.probe() }
  }

  /// Waits until the database is usable, at most `nanoseconds`; returns whether it is.
  package func waitUntilUsable(nanoseconds: UInt64) async -> Bool {
    if isUsable { return true }
    _ = await usable.wait(nanoseconds: nanoseconds)
    return isUsable
  }

  // MARK: Connections report

  func connectionReady(_ connection: PostgresConnection) {
    if connection.role == .transactions { transactions.giveBack(connection) }
    if connection.role == .reader { readerConnections += 1 }
    refreshState()
    startNext(connection.role)
    if leadsToPrimary { leaveStandby() }
  }

  /// Opens the next connection of a lane, and after the last reader the first one for transactions. They open one after
  /// the other, with a pause between: signing in hashes a password thousands of times, and tasks that wait for the
  /// first connections, of this database or of another loop's, should not wait for that too.
  private func startNext(_ role: PostgresConnection.Role) {
    let next: PostgresConnection? =
      switch role {
      case .reader: (readers + transactions.connections.prefix(1)).first(where: \.isDormant)
      case .writer: writers.first(where: \.isDormant)
      // Opened as they are needed.
      case .transactions: nil
      }
    guard let next else { return }
    loop.schedule(afterNanoseconds: UInt64(configuration.openingPauseMilliseconds) * 1_000_000) { next.start() }
  }

  func connectionFailed(_ connection: PostgresConnection, _ error: PostgresError) {
    onConnectionError?(error)
    if !transactions.isAnyReady { transactions.failWaiters(error) }
    refreshState()
  }

  /// Resends reads in flight on another connection and fails the rest. After a freeze nothing is resent: the other
  /// connections are under suspicion as well.
  func connectionLost(
    _ connection: PostgresConnection, _ error: PostgresError, _ orphans: [Operation], isFrozen: Bool
  ) {
    onConnectionError?(error)
    transactions.remove(connection)
    for operation in orphans {
      operation.isInFlight = false
      operation.held = nil
      let other = leastBusy(readers)
      if operation.kind == .read, !operation.isSettled, !isFrozen, let other,
        operation.resends < Operation.maximumResends
      {
        operation.resends += 1
        other.send(operation)
      } else {
        operation.settle(.failure(operation.unanswered(.unavailable, error.message)))
        retire(operation)
      }
    }
    if isFrozen { suspect() }
    refreshState()
  }

  private func refreshState() {
    let isNowUsable = [readers, writers, transactions.connections].allSatisfy { lane in
      // Transactions open their connections as they need them: losing one of those does not make the database unusable.
      lane.isEmpty || lane.contains(where: \.isReady) || (lane[0].role == .transactions && !readers.isEmpty)
    }
    guard isNowUsable != isUsable else { return }
    isUsable = isNowUsable
    if isUsable { usable.release() }
    onStateChange?(isUsable)
  }

  // MARK: Operations

  /// The ready connection with the fewest commands in flight.
  func leastBusy(_ lane: [PostgresConnection]) -> PostgresConnection? {
    var best: PostgresConnection?
    for connection in lane where connection.isReady {
      if best == nil || connection.pipeline.commandCount < best!.pipeline.commandCount { best = connection }
    }
    return best
  }

  /// Returns a fresh operation with the usual timeout.
  func takeOperation(_ kind: Operation.Kind) -> Operation {
    let operation = spare.popLast() ?? Operation()
    operation.kind = kind
    operation.timeoutNanoseconds =
      UInt64(configuration.statementTimeoutMilliseconds + configuration.graceMilliseconds) * 1_000_000
    return operation
  }

  /// Takes an operation back for reuse once neither the caller nor a connection has it any more.
  func retire(_ operation: Operation) {
    guard operation.isReleased, !operation.isInFlight else { return }
    operation.reset()
    if spare.count < Self.spareOperations { spare.append(operation) }
  }

  /// Sends an operation on `connection`, waits for its outcome and reports it. Takes over the operation.
  func run(_ operation: Operation, on connection: PostgresConnection) async throws(PostgresError) -> Rows {
    let startedAt = loop.now
    await withLoopContinuation { continuation in
      operation.continuation = continuation
      connection.send(operation)
    }
    return try conclude(operation, startedAt: startedAt).get()
  }

  /// Sends an operation on `connection` and calls `receive` with its outcome, which it reports; see `PreparedRead`.
  func run(
    _ operation: Operation, on connection: PostgresConnection,
    _ receive: @escaping (Result<Rows, PostgresError>) -> Void
  ) {
    // Invariant 1: the database outlives its operations.
    operation.receiver = { [unowned(unsafe) self, startedAt = loop.now] operation in
      receive(conclude(operation, startedAt: startedAt))
    }
    connection.send(operation)
  }

  /// Reports the outcome of an operation that is settled, and takes the operation over.
  private func conclude(_ operation: Operation, startedAt: UInt64) -> Result<Rows, PostgresError> {
    let outcome = operation.outcome
    if let observer {
      var failure: PostgresError?
      if case .failure(let error) = outcome { failure = error }
      observer.queryFinished(
        statement: operation.statement?.id ?? 0, name: operation.statement?.name ?? operation.name,
        startedAt: startedAt, durationNanoseconds: loop.now &- startedAt, error: failure)
    }
    release(operation)
    switch outcome {
    case .rows(let rows): return .success(rows)
    case .failure(let error): return .failure(error)
    case .pending: fatalError("a waiter was resumed without an outcome")
    }
  }

  /// Notes that the caller is done with an operation.
  func release(_ operation: Operation) {
    operation.isReleased = true
    retire(operation)
  }
}
