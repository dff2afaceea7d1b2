import Postgres
import Reactor
import Values
import Web

/// Readings of one loop that wait to be stored: what arrives while batches are in flight goes into the next one
/// together, so that the disk is waited for once for many requests.
///
/// A batch is as good as its worst part: one that the server refuses is cut in two and tried again, so that no
/// request fails for another's sake. What another transaction has is waited for briefly, and refused to its device
/// alone. When a connection is lost, nobody knows whether the batch was committed; it is sent again, which changes
/// nothing that was. Nothing is tried any more once its deadline is over.
final class ReadingsQueue {
  /// How much is stored at a time, and how much waits.
  struct Bounds {
    /// How many batches are in flight.
    let batches: Int
    /// The most readings of a batch, unless one request alone has more.
    let batchReadings: Int
    /// What waits for the batches in flight.
    let waiting: WaitingReadings.Bounds
  }

  /// How long the store may be away before those who wait are told so, in nanoseconds.
  static let patienceNanoseconds: UInt64 = 3_000_000_000
  /// The first pause before a batch is sent again, in nanoseconds; each next one is twice as long, up to the longest.
  static let pauseNanoseconds: UInt64 = 20_000_000
  static let longestPauseNanoseconds: UInt64 = 320_000_000

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private let database: Database
  private let store: any ReadingsStore
  private let bounds: Bounds
  /// Where those go whose batch takes the server too long: where the work is not a matter of its length.
  private let slow: SlowReadings?
  private var waiting: WaitingReadings
  /// How many batches are in flight or about to be sent.
  private var writing = 0
  /// Whether one of them will be sent at the turn's end.
  private var isScheduled = false

  init(loop: EventLoop, database: Database, store: any ReadingsStore, bounds: Bounds, slow: SlowReadings? = nil) {
    self.loop = loop
    self.database = database
    self.store = store
    self.bounds = bounds
    self.slow = slow
    waiting = WaitingReadings(bounds.waiting)
  }

  /// Stores readings of one device; once it returns, they are committed. Throws `Problem` when too many wait, they have
  /// waited for too long or the database is away, `PerhapsStored`, and the store's errors; sending them again is safe.
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

  private static var isAway: Problem { Problem(.unavailable, "The readings cannot be stored now. Send them again.") }

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

  /// Refuses those that have waited for too long, and gives the others.
  private func inTime(_ submissions: [ReadingsSubmission]) -> [ReadingsSubmission] {
    let now = loop.now
    for submission in submissions where submission.deadline <= now { submission.settle(Problem(Limit.readings)) }
    return submissions.filter { $0.deadline > now }
  }

  /// The store is away: who waits for his turn has nothing to wait for.
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
    // Each attempt waits once more: who has a device's readings has most likely all of them.
    case .server where error.isLockTimeout: .byDevice
    case .server: error.isSerializationFailure ? .again : .apart
    // More of the same is no help to a server that is too slow.
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
