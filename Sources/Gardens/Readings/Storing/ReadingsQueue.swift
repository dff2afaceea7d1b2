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
/// nothing that was.
final class ReadingsQueue {
  /// How much is stored at a time, and how much waits.
  struct Bounds {
    /// How many batches are in flight.
    let batches: Int
    /// The most readings of a batch, unless one request alone has more.
    let batchRows: Int
    /// The most readings that wait for the batches in flight; further requests are refused.
    let waitingRows: Int
    /// The most requests that wait; further ones are refused.
    let waitingRequests: Int
    /// The most of them that are one device's, whose further ones are refused.
    let waitingOfDevice: Int
    /// Whether what takes the server too long is cut in two as well: where the work is not a matter of its length.
    let cutsWhatIsSlow: Bool
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
  private var waiting: [ReadingsSubmission] = []
  private var waitingCount = 0
  /// How many requests of a device wait.
  private var waitingOfDevice: [Identifier: Int] = [:]
  /// How many batches are in flight or about to be sent.
  private var writing = 0
  /// Whether one of them will be sent at the turn's end.
  private var isScheduled = false

  init(loop: EventLoop, database: Database, store: any ReadingsStore, bounds: Bounds) {
    self.loop = loop
    self.database = database
    self.store = store
    self.bounds = bounds
  }

  /// Stores readings of one device; once it returns, they are committed. Throws `Problem` when too many wait or the
  /// database is away; then they may or may not be stored, and sending them again is safe.
  func store(_ submission: ReadingsSubmission) async throws -> StoredReadings {
    guard database.isUsable else { throw Problem(.unavailable, "The readings cannot be stored now. Send them again.") }
    guard waitingCount + submission.readings.count <= bounds.waitingRows, waiting.count < bounds.waitingRequests,
      waitingOfDevice[submission.device, default: 0] < bounds.waitingOfDevice
    else { throw Problem(Limit.readings) }
    waiting.append(submission)
    waitingCount += submission.readings.count
    waitingOfDevice[submission.device, default: 0] += 1
    if !isScheduled, writing < bounds.batches {
      isScheduled = true
      writing += 1
      // Not before the turn's end: what arrives in the same turn shares the batch.
      loop.atEndOfTurn(self)
    }
    return try await submission.wait()
  }

  private func writeAll() async {
    while !waiting.isEmpty { await write(takeWaiting(), until: loop.now + Self.patienceNanoseconds) }
    writing -= 1
  }

  /// The longest-waiting submissions that fit into one batch.
  private func takeWaiting() -> [ReadingsSubmission] {
    var count = 0
    var rows = 0
    while count < waiting.count, count == 0 || rows + waiting[count].readings.count <= bounds.batchRows {
      rows += waiting[count].readings.count
      count += 1
    }
    let taken = Array(waiting[..<count])
    waiting.removeFirst(count)
    waitingCount -= rows
    for submission in taken { forget(submission) }
    return taken
  }

  private func forget(_ submission: ReadingsSubmission) {
    let left = waitingOfDevice[submission.device, default: 1] - 1
    waitingOfDevice[submission.device] = left == 0 ? nil : left
  }

  // MARK: Batches

  private func write(_ submissions: [ReadingsSubmission], until deadline: UInt64) async {
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
        case .apart where submissions.count > 1:
          let middle = submissions.count / 2
          return await write(submissions[..<middle], then: submissions[middle...], until: deadline)
        case .byDevice:
          let devices = Set(submissions.map(\.device)).sorted()
          let middle = devices[devices.count / 2]
          let (low, high) = (submissions.filter { $0.device < middle }, submissions.filter { $0.device >= middle })
          if !low.isEmpty { return await write(low[...], then: high[...], until: deadline) }
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

  private enum Remedy { case again, apart, byDevice, none }

  private func remedy(for error: any Error) -> Remedy {
    guard let error = error as? PostgresError else { return .none }
    return switch error.kind {
    case .unavailable: .again
    // Each attempt waits once more: who has a device's readings has most likely all of them.
    case .server where error.isLockTimeout: .byDevice
    case .server: error.isSerializationFailure ? .again : .apart
    // More of the same is no help to a server that is too slow.
    case .timeout: bounds.cutsWhatIsSlow ? .apart : .none
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
