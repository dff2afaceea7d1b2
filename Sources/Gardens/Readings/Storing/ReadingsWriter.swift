import Postgres
import Reactor
import Values
import Web

/// Stores the readings of one loop. When `store` returns, they are committed (invariant 7).
///
/// Late readings have a queue of their own, since looking for them in sealed days takes longer: readings that come in
/// time do not wait for that, nor are they refused for it.
final class ReadingsWriter {
  /// How long a request may wait, in statement time-outs. Late readings may wait for the batch in flight and then take
  /// part in their own; after this no further attempt is begun.
  static let patienceInStatementTimeouts = 2
  /// A batch of late readings has the statement time-out divided by this, so that a request that is then tried alone
  /// can have all of it.
  static let batchTimeoutDivisor = 2

  /// Called after the COMMIT with what was accepted of one request, before it is answered.
  var onAccepted: [(_ garden: Identifier, _ device: Identifier, _ readings: [Reading]) -> Void] = []
  /// Called when a request is refused whose readings may have been committed: sent again, they count as duplicates, and
  /// nobody is told of them.
  var onDoubt: [(_ garden: Identifier) -> Void] = []

  // Invariant 1: the loop outlives what runs on it.
  private unowned(unsafe) let loop: EventLoop
  private let patienceNanoseconds: UInt64
  private let recentQueue: ReadingsQueue
  private let lateQueue: ReadingsQueue

  init(loop: EventLoop, database: Database, partitions: ReadingPartitions) {
    self.loop = loop
    let configuration = database.configuration
    patienceNanoseconds =
      UInt64(Self.patienceInStatementTimeouts * configuration.statementTimeoutMilliseconds) * 1_000_000
    // One batch for each of the database's writers, so that the server computes one while another waits for the disk.
    recentQueue = ReadingsQueue(
      loop: loop, database: database, store: RecentReadings(database: database, partitions: partitions),
      bounds: ReadingsQueue.Bounds(
        batches: configuration.writers, batchReadings: 8_192,
        waiting: WaitingReadings.Bounds(readings: 65_536, requests: 4_096, ofDevice: 4_096)))
    let waiting = WaitingReadings.Bounds(readings: 65_536, requests: 1_024, ofDevice: 16)
    lateQueue = ReadingsQueue(
      loop: loop, database: database,
      store: LateReadings(
        database: database, storingMilliseconds: configuration.statementTimeoutMilliseconds / Self.batchTimeoutDivisor),
      bounds: ReadingsQueue.Bounds(batches: 1, batchReadings: 4_096, waiting: waiting),
      slow: SlowReadings(loop: loop, store: LateReadings(database: database), waiting: waiting))
  }

  /// Stores readings of one device; once it returns, they are committed. Throws `Problem` when too many wait, these
  /// have waited for too long or the database is away, `PerhapsStored`, and the store's errors; sending them again is
  /// safe.
  func store(_ submission: ReadingsSubmission, at now: Timestamp) async throws -> StoredReadings {
    submission.deadline = loop.now + patienceNanoseconds
    let openFrom = OpenDays.start(at: now)
    guard submission.readings.contains(where: { $0.measuredAt < openFrom }) else {
      return try await store(submission, in: recentQueue)
    }
    let recent = submission.part { $0.measuredAt >= openFrom }
    let late = submission.part { $0.measuredAt < openFrom }
    var stored = recent.readings.isEmpty ? StoredReadings() : try await store(recent, in: recentQueue)
    stored += try await store(late, in: lateQueue)
    return stored
  }

  private func store(_ submission: ReadingsSubmission, in queue: ReadingsQueue) async throws -> StoredReadings {
    let stored = try await queue.store(submission)
    if !stored.accepted.isEmpty {
      for notify in onAccepted { notify(submission.garden, submission.device, stored.accepted) }
    }
    return stored
  }
}
