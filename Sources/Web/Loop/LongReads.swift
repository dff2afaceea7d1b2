import Postgres
import Reactor

/// The lane of one loop for statements that may read much: pages of history, charts, summaries. They have connections
/// of their own and wait for each other, so that a read by key never waits behind one.
///
/// A connection, opened when it is first needed, computes one of them at a time. How many wait is bounded, of one client and in all: one more is
/// answered with 503.
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
  /// Where history is read, which may lag a little; the primary while there is none or it is away.
  private let replica: Database?
  private let shares: ClientShares
  private var free: Int
  private var waiting: [Pending<Void>] = []

  init(
    loop: EventLoop, _ configuration: DatabaseConfiguration, replica: Database?, shares: ClientShares,
    observer: any QueryObserver
  ) {
    self.loop = loop
    self.configuration = configuration
    self.replica = replica
    self.shares = shares
    self.observer = observer
    free = configuration.readers
  }

  /// Reads with `body` when it is the client's turn. Throws 503 when too many wait, or the turn does not come.
  package func read<Value>(for client: String, _ body: (Database) async throws -> Value) async throws -> Value {
    guard let share = shares.take(client) else { throw Problem(Limit.longReads) }
    defer { withExtendedLifetime(share) {} }
    try await takeTurn(behind: Self.maximumWaiting, nanoseconds: Self.patienceNanoseconds)
    defer { endTurn() }
    return try await body(database())
  }

  /// Reads the next part of an answer that has begun, which cannot be refused any more: it waits longer.
  package func goOn<Value>(_ body: (Database) async throws -> Value) async throws -> Value {
    try await takeTurn(behind: Self.maximumWaitingToGoOn, nanoseconds: Self.patienceToGoOnNanoseconds)
    defer { endTurn() }
    return try await body(database())
  }

  private func database() async throws -> Database {
    if let replica, replica.isUsable { return replica }
    if let primary { return primary }
    let made = try Database(loop: loop, configuration: configuration, observer: observer)
    primary = made
    _ = await made.waitUntilUsable(nanoseconds: Self.patienceNanoseconds)
    return made
  }

  /// How many connections work on something, and wait for work.
  package var connectionCounts: (active: Int, idle: Int) {
    [primary, replica].compactMap { $0?.connectionCounts }.reduce(into: (0, 0)) { sum, counts in
      sum.0 += counts.active
      sum.1 += counts.idle
    }
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

  func close() {
    primary?.close()
    replica?.close()
  }
}
