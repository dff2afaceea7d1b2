import Postgres
import Reactor
import Values
import Web

/// The readings of one loop that wait to be stored. What arrives while batches are in flight goes into the next one
/// together, so that many requests share one wait for the disk.
///
/// A batch that the server refuses is cut in two and tried again, so that no request fails because of another. A lock
/// of another transaction is waited for briefly, and then only its device's readings are refused. When a connection is
/// lost, nobody knows whether the batch was committed; it is sent again, which changes nothing that was. No request is
/// tried after its deadline.
final class ReadingsQueue {
  /// The bounds of what is in flight and of what waits.
  struct Bounds {
    /// The most batches in flight.
    let batches: Int
    /// The most readings of a batch, unless one request alone has more.
    let batchReadings: Int
    /// The bounds of what waits for the batches in flight.
    let waiting: WaitingReadings.Bounds
  }

  /// How long a batch is tried while the store is away, in nanoseconds; then all that waits is refused.
  static let patienceNanoseconds: UInt64 = 3_000_000_000
  /// The first pause before a batch is sent again, in nanoseconds; each further one is twice as long, up to the
  /// longest.
  static let pauseNanoseconds: UInt64 = 20_000_000
  static let longestPauseNanoseconds: UInt64 = 320_000_000

  // Invariant 1: the loop outlives what runs on it.
  private unowned(unsafe) let loop: EventLoop
  private let database: Database
  private let store: any ReadingsStore
  private let bounds: Bounds
  /// Takes over the requests of a batch that timed out; nil where the time is only a matter of the batch's length.
  private let slow: SlowReadings?
  private var waiting: WaitingReadings
  /// How many batches are in flight or about to be sent.
  private var writing = 0
  /// Whether one of them is to be sent at the turn's end.
  private var isScheduled = false

  init(loop: EventLoop, database: Database, store: any ReadingsStore, bounds: Bounds, slow: SlowReadings? = nil) {
    self.loop = loop
    self.database = database
    self.store = store
    self.bounds = bounds
    self.slow = slow
    waiting = WaitingReadings(bounds.waiting)
  }

  /// Stores readings of one device; once it returns, they are committed. Throws `Problem` when too many wait, these
  /// have waited for too long or the database is away, `PerhapsStored`, and the store's errors; sending them again is
  /// safe.
  func store(_ submission: ReadingsSubmission) async throws -> StoredReadings {
    guard database.isUsable else { throw Self.isAway }
    guard waiting.add(submission) else { throw Problem(Limit.readings) }
    if !isScheduled, writing < bounds.batches {
      isScheduled = true
      writing += 1
      // Not before the turn's end: what arrives in the same turn shares the batch.
      loop.atEndOfTurn(self)
    }
    return try await submission.wait()
  }

  private static var isAway: Problem {
    Problem(.unavailable, "The readings cannot be stored at the moment. Send them again.")
  }

  private func writeAll() async {
    while let batch = nextBatch() { await write(batch, until: loop.now + Self.patienceNanoseconds) }
    writing -= 1
  }

  private func nextBatch() -> [ReadingsSubmission]? {
    if let slow { slow.take(waiting.takeAll { slow.concerns($0.device) }) }
    let batch = waiting.take(readings: bounds.batchReadings)
    return batch.isEmpty ? nil : batch
  }

  // MARK: Batches

  private func write(_ submissions: [ReadingsSubmission], until deadline: UInt64) async {
    let submissions = inTime(submissions)
    if submissions.isEmpty { return }
    let batch = ReadingsBatch(submissions)
    var progress = StoringProgress(submissions)
    var pause = Self.pauseNanoseconds
    while true {
      do {
        try await store.store(batch, of: submissions, &progress)
        for submission in submissions { submission.settle() }
        return
      } catch {
        progress.note(error, of: submissions)
        switch remedy(for: error) {
        case .again:
          await loop.sleep(nanoseconds: pause)
          pause = min(2 * pause, Self.longestPauseNanoseconds)
          if loop.now < deadline, await database.waitUntilUsable(nanoseconds: deadline - loop.now) { continue }
          if !database.isUsable { refuseWaiting() }
        case .apart where submissions.count > 1:
          let middle = submissions.count / 2
          return await write(submissions[..<middle], then: submissions[middle...], until: deadline)
        case .byDevice:
          let devices = Set(submissions.map(\.device)).sorted()
          let middle = devices[devices.count / 2]
          let (low, high) = (submissions.filter { $0.device < middle }, submissions.filter { $0.device >= middle })
          if !low.isEmpty { return await write(low[...], then: high[...], until: deadline) }
        case .aside(let slow): return slow.take(submissions)
        case .apart, .none: break
        }
        for submission in submissions { submission.settle(error) }
        return
      }
    }
  }

  private func write(
    _ first: ArraySlice<ReadingsSubmission>, then second: ArraySlice<ReadingsSubmission>, until deadline: UInt64
  ) async {
    await write(Array(first), until: deadline)
    await write(Array(second), until: deadline)
  }

  /// Refuses the requests whose deadline is over, and returns the others.
  private func inTime(_ submissions: [ReadingsSubmission]) -> [ReadingsSubmission] {
    let now = loop.now
    for submission in submissions where submission.deadline <= now { submission.settle(Problem(Limit.readings)) }
    return submissions.filter { $0.deadline > now }
  }

  /// Refuses all that waits, since the store is away.
  private func refuseWaiting() {
    for submission in waiting.takeAll(where: { _ in true }) { submission.settle(Self.isAway) }
  }

  private enum Remedy {
    case again, apart, byDevice, none
    case aside(SlowReadings)
  }

  private func remedy(for error: any Error) -> Remedy {
    guard let error = error as? PostgresError else { return .none }
    return switch error.kind {
    case .unavailable: .again
    // Each attempt waits once more: a transaction that has locked one reading of a device most likely has all of them.
    case .server where error.isLockTimeout: .byDevice
    case .server: error.isSerializationFailure ? .again : .apart
    // Another attempt is no help to a server that is too slow.
    case .timeout: slow.map { .aside($0) } ?? .none
    case .overloaded, .misuse, .configuration: .none
    }
  }
}

extension ReadingsQueue: TurnEnd {
  func flush() {
    isScheduled = false
    loop.spawn { [self] in await writeAll() }
  }
}
