import Postgres
import Reactor
import Values

/// The lane of one loop for statements that may read much: pages of history, charts, summaries, searches, lists of
/// orders. They have connections of their own and wait for each other, so that a read by key never waits behind one.
///
/// A connection, opened when it is first needed, computes one of them at a time. How many wait is bounded, of one
/// client and in all: one more is answered with 503.
package final class LongReads {
  /// The most reads that wait on one loop before another may begin, and those of answers that have begun.
  static let maximumWaiting = 64
  static let maximumWaitingToGoOn = 256
  /// The most that one client has under way, waiting ones included, in the whole process.
  static let maximumOfClient = 16
  /// How long one waits for its turn, in nanoseconds, and in an answer that has begun.
  static let patienceNanoseconds: UInt64 = 3_000_000_000
  static let patienceToGoOnNanoseconds: UInt64 = 60_000_000_000

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private let configuration: DatabaseConfiguration
  private let observer: any QueryObserver
  private var primary: Database?
  private let replicaReads: ReplicaReads
  private let shares: ClientShares
  private var free: Int
  private var waiting: [Pending<Void>] = []

  init(
    loop: EventLoop, _ configuration: DatabaseConfiguration, replicaReads: ReplicaReads, shares: ClientShares,
    observer: any QueryObserver
  ) {
    self.loop = loop
    self.configuration = configuration
    self.replicaReads = replicaReads
    self.shares = shares
    self.observer = observer
    free = configuration.readers
  }

  /// Reads with `body` when it is the client's turn, from a replica where one has all that belongs to the owners.
  /// Throws 503 when too many wait, or the turn does not come.
  package func read<Value>(
    for client: String, of owners: [Identifier] = [], _ body: (Database) async throws -> Value
  ) async throws -> Value {
    guard let share = shares.take(client) else { throw Problem(Limit.longReads) }
    defer { withExtendedLifetime(share) {} }
    try await takeTurn(behind: Self.maximumWaiting, nanoseconds: Self.patienceNanoseconds)
    defer { endTurn() }
    return try await body(database(of: owners))
  }

  /// Reads the next part of an answer that has begun, which cannot be refused any more: it waits longer.
  package func goOn<Value>(
    of owners: [Identifier], _ body: (Database) async throws -> Value
  ) async throws -> Value {
    try await takeTurn(behind: Self.maximumWaitingToGoOn, nanoseconds: Self.patienceToGoOnNanoseconds)
    defer { endTurn() }
    return try await body(database(of: owners))
  }

  private func database(of owners: [Identifier]) async throws -> Database {
    if let replica = await replicaReads.replica(of: owners) { return replica }
    let own = try primary ?? Database(loop: loop, configuration: configuration, observer: observer)
    primary = own
    // Only for its first connection: what is away later, or for the other lanes too, is answered at once.
    if own.readerConnections == 0, replicaReads.primary.isUsable {
      _ = await own.waitUntilUsable(nanoseconds: Self.patienceNanoseconds)
    }
    return own
  }

  /// Has the lane's idle connections prove that they live, because something else has found the server silent: where
  /// another host has taken over, they lead to the one that is gone, and the next read of each would wait for nothing.
  package func suspectIdle() { primary?.suspectIdle() }

  /// Has all of them prove it, because the other lanes are lost; see `Database.suspect`. Not if
  /// these are back soon: a server that computes a long statement gives no sign of life, and only pausing would end it.
  package func suspect() {
    let patience = UInt64(configuration.probeTimeoutMilliseconds) * 1_000_000
    loop.schedule(afterNanoseconds: patience) { [weak self] in
      if let self, !replicaReads.primary.isUsable { primary?.suspect() }
    }
  }

  /// How many connections work on something, and wait for work.
  package var connectionCounts: (active: Int, idle: Int) {
    let (own, replica) = (primary?.connectionCounts, replicaReads.connectionCounts)
    return ((own?.active ?? 0) + replica.active, (own?.idle ?? 0) + replica.idle)
  }

  private func takeTurn(behind maximum: Int, nanoseconds: UInt64) async throws {
    if free > 0 {
      free -= 1
      return
    }
    guard waiting.count < maximum else { throw Problem(Limit.longReads) }
    let turn = Pending<Void>()
    waiting.append(turn)
    let timer = loop.schedule(afterNanoseconds: nanoseconds) { [weak self] in
      self?.waiting.removeAll { $0 === turn }
      turn.complete(.failure(Problem(Limit.longReads)))
    }
    defer { loop.cancel(timer) }
    try await turn.value()
  }

  /// Whoever has waited longest is next.
  private func endTurn() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().complete(.success(())) }
  }

  func close() { primary?.close() }
}
