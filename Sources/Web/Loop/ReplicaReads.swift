import Postgres
import Reactor
import Redis
import Synchronization
import Values

/// Tells whether history can be read from a replica: not while there is none, it is away, or it lacks what was just
/// stored.
///
/// Each loop measures its replica by positions in the log: what the primary had written at a moment, the replica has
/// once it has replayed as far. A replica that lags more than a few seconds is not read at all. For longer than that, a
/// mark in Redis keeps reads of what was just stored on the primary, on all loops of all servers: once the mark has
/// expired, a replica that is read at all has what it stood for. Without Redis everything is read from the primary.
package final class ReplicaReads {
  /// How far a replica that is read may be behind, in nanoseconds.
  static let maximumLagNanoseconds: UInt64 = 5_000_000_000
  /// How long a mark stays, in milliseconds.
  static let markMilliseconds: Int64 = 6_000
  /// The pause between two measurements, in nanoseconds.
  static let pauseNanoseconds: UInt64 = 100_000_000
  /// The most positions of the primary that wait until the replica has replayed them.
  static let maximumPositions = 64

  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  let primary: Database
  private let replica: Database?
  private let redis: RedisClient
  private let prefix: String
  private let freshness: ReplicaFreshness
  /// Positions of the primary's log and when each was asked for, oldest first; removed once the replica has replayed
  /// them.
  private var written: [(askedAt: UInt64, position: Int64)] = []
  /// The replica has everything committed before this moment of the loop's clock; 0 while unknown.
  private var coveredUntil: UInt64 = 0
  /// `readerConnections` when that was learnt: after a reconnect it may be another replica.
  private var coveredConnections = 0
  private var isClosed = false

  init(
    loop: EventLoop, primary: Database, replica: Database?, redis: RedisClient, prefix: String,
    freshness: ReplicaFreshness
  ) {
    self.loop = loop
    self.primary = primary
    self.replica = replica
    self.redis = redis
    self.prefix = prefix
    self.freshness = freshness
    if let replica { loop.spawn { [self] in await follow(replica) } }
  }

  /// The replica, if it has all that belongs to `owners`: a device or a garden, and the user who asks.
  func replica(of owners: [Identifier]) async -> Database? {
    guard let replica, !owners.isEmpty, replica.isUsable, isFresh(replica), redis.isConnected else { return nil }
    let marks = try? await redis.send(["EXISTS"] + owners.map { .text(mark($0)) })
    return marks == .integer(0) ? replica : nil
  }

  /// The numbers of connections to the replica that work on something, and that wait for work.
  var connectionCounts: (active: Int, idle: Int) {
    let counts = replica?.connectionCounts
    return (counts?.active ?? 0, counts?.idle ?? 0)
  }

  /// Marks that something of `owners` was stored; called before the client is told.
  package func noteStored(of owners: [Identifier]) async {
    guard replica != nil else { return }
    // If this fails, Redis is usually away for other loops too, and they read from the primary. If not, they may read
    // old data for as long as a replica may lag.
    _ = try? await redis.pipeline(
      owners.map { ["SET", .text(mark($0)), "", "PX", .integer(Self.markMilliseconds)] })
  }

  private func mark(_ owner: Identifier) -> String { "\(prefix)stored:\(owner)" }

  private func isFresh(_ replica: Database) -> Bool {
    loop.now - min(loop.now, coveredUntil) < Self.maximumLagNanoseconds
      && coveredConnections == replica.readerConnections
  }

  func close() {
    isClosed = true
    replica?.close()
  }

  // MARK: Measuring

  private func follow(_ replica: Database) async {
    while !isClosed {
      await measure(replica)
      await loop.sleep(nanoseconds: Self.pauseNanoseconds)
    }
  }

  private func measure(_ replica: Database) async {
    let askedAt = loop.now
    if let position = await primary.position() {
      // Another primary has taken over, which had less: what the one before had written beyond that never comes.
      if let last = written.last, position < last.position { written.removeAll() }
      if written.count < Self.maximumPositions { written.append((askedAt, position)) }
    }
    guard replica.isUsable, let reached = await replica.position() else { return }
    if coveredConnections != replica.readerConnections {
      // After a reconnect it may be another replica, which has less.
      (coveredConnections, coveredUntil) = (replica.readerConnections, 0)
    }
    while let first = written.first, first.position <= reached {
      coveredUntil = first.askedAt
      written.removeFirst()
    }
    freshness.note(coveredUntil, loop: loop.index)
  }
}
