import Postgres
import Reactor
import Values

/// The lane of one loop for statements that may read much: pages of history, charts, summaries, searches, lists of
/// orders. They share a few connections of their own, so that a read by key never waits behind one.
///
/// A connection, opened when it is first needed, serves one read at a time, and a client whose reads took long lets
/// others pass. The number of reads that wait is bounded, for each client and in all: one more is answered with 503.
package final class LongReads {
  /// The most reads behind which one more may wait for its turn on one loop.
  static let maximumWaiting = 64
  /// The most reads behind which the next part of an answer that has begun may wait.
  static let maximumWaitingToGoOn = 256
  /// The most reads of one client in the whole process, waiting ones included, and the most of its answers that are
  /// read in parts.
  static let maximumOfClient = 16
  /// How long a read waits for its turn, in nanoseconds: longer than another client's statement takes that has just
  /// begun, unless `DATABASE_STATEMENT_TIMEOUT_MILLISECONDS` allows more than usual.
  static let patienceNanoseconds: UInt64 = 4_000_000_000
  /// How long the next part of an answer that has begun waits for its turn, in nanoseconds.
  static let patienceToGoOnNanoseconds: UInt64 = 60_000_000_000
  /// How long a transaction waits for its turn, in nanoseconds.
  static let patienceOfTransactionNanoseconds: UInt64 = 10_000_000_000

  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private let configuration: DatabaseConfiguration
  private let observer: any QueryObserver
  private var primary: Database?
  private let replicaReads: ReplicaReads
  private let shares: ClientShares
  private let turns: Turns
  private let transactionTurns: Turns

  /// A quarter of the primary's connections for transactions, and at least one, is for long ones.
  init(
    loop: EventLoop, _ configuration: DatabaseConfiguration, replicaReads: ReplicaReads, shares: ClientShares,
    observer: any QueryObserver
  ) {
    self.loop = loop
    self.configuration = configuration
    self.replicaReads = replicaReads
    self.shares = shares
    self.observer = observer
    turns = Turns(configuration.readers, on: loop, limit: .longReads)
    let connections = replicaReads.primary.configuration.transactionConnections
    transactionTurns = Turns(max(1, connections / 4), on: loop, limit: .longReads)
  }

  /// Calls `body` when it is the client's turn, with a replica where one has all that belongs to `owners`, and once
  /// more with the primary if the replica cancels the read. Throws 503 when too many reads wait, or the turn does not
  /// come in time.
  package func read<Value>(
    for client: String, of owners: [Identifier] = [], _ body: (Database) async throws -> Value
  ) async throws -> Value {
    guard let share = shares.take(client) else { throw Problem(Limit.longReads) }
    defer { withExtendedLifetime(share) {} }
    let turn = try await turns.take(for: client, behind: Self.maximumWaiting, nanoseconds: Self.patienceNanoseconds)
    defer { turns.end(turn) }
    return try await run(body, of: owners)
  }

  /// Calls `body` with a transaction that reads one state of the primary, when it is the client's turn. It holds a
  /// connection that other transactions need as well, and may take long: most of these stay free for them. Throws 503
  /// as `read` does.
  package func transaction<Value>(
    for client: String, timeoutMilliseconds: Int, _ body: (Transaction) async throws -> Value
  ) async throws -> Value {
    guard let share = shares.take(client) else { throw Problem(Limit.longReads) }
    defer { withExtendedLifetime(share) {} }
    let turn = try await transactionTurns.take(
      for: client, behind: Self.maximumWaiting, nanoseconds: Self.patienceOfTransactionNanoseconds)
    defer { transactionTurns.end(turn) }
    return try await replicaReads.primary.transaction(
      .repeatableRead, readOnly: true, timeoutMilliseconds: timeoutMilliseconds, body)
  }

  /// Returns a share for an answer that is read in parts, to be held until its end: a client that takes each part fast
  /// has one waiting for each of these all the time. They count apart from reads, so that a slow download keeps nobody
  /// from a chart. Throws 503 when the client has too many.
  package func answer(for client: String) throws -> ClientShares.Share {
    guard let share = shares.take("answers to \(client)") else { throw Problem(Limit.longReads) }
    return share
  }

  /// Reads the next part of an answer that has begun. It waits longer, since the answer can no longer be refused.
  package func goOn<Value>(
    for client: String, of owners: [Identifier], _ body: (Database) async throws -> Value
  ) async throws -> Value {
    let turn = try await turns.take(
      for: client, behind: Self.maximumWaitingToGoOn, nanoseconds: Self.patienceToGoOnNanoseconds)
    defer { turns.end(turn) }
    return try await run(body, of: owners)
  }

  private func run<Value>(_ body: (Database) async throws -> Value, of owners: [Identifier]) async throws -> Value {
    if let replica = await replicaReads.replica(of: owners) {
      do {
        return try await body(replica)
      } catch let error as PostgresError where error.isSerializationFailure {
        // The read stood in the way of what the replica had to replay.
      }
    }
    return try await body(try await database())
  }

  /// The lane's connections to the primary.
  private func database() async throws -> Database {
    let own = try primary ?? Database(loop: loop, configuration: configuration, observer: observer)
    primary = own
    // After a failover a name may have led them to a standby, which nothing that is read here would show.
    let hasLeft = replicaReads.primary.leadsToPrimary && own.leaveStandby()
    // Only for a first connection: if the server is away later, or for the other lanes too, the read fails at once.
    if own.readerConnections == 0 || hasLeft, replicaReads.primary.isUsable {
      _ = await own.waitUntilUsable(nanoseconds: Self.patienceNanoseconds)
    }
    return own
  }

  /// Has the lane's idle connections prove that they live, because something else has found the server silent: after a
  /// failover they lead to the host that is gone, and the next read on each would wait in vain.
  package func suspectIdle() { primary?.suspectIdle() }

  /// Has all connections prove that they live, because the other lanes are lost (see `Database.suspect`), unless those
  /// are back soon: a connection whose long statement is being computed gives no sign of life, and a mere pause of the
  /// server would end it.
  package func suspect() {
    let patience = UInt64(configuration.probeTimeoutMilliseconds) * 1_000_000
    loop.schedule(afterNanoseconds: patience) { [weak self] in
      if let self, !replicaReads.primary.isUsable { primary?.suspect() }
    }
  }

  /// The numbers of connections that work on something, and that wait for work.
  package var connectionCounts: (active: Int, idle: Int) {
    let (own, replica) = (primary?.connectionCounts, replicaReads.connectionCounts)
    return ((own?.active ?? 0) + replica.active, (own?.idle ?? 0) + replica.idle)
  }

  func close() { primary?.close() }
}
