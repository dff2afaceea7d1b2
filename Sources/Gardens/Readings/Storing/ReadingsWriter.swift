import Postgres
import Reactor
import Values
import Web

/// Stores the readings of one loop. Who is told that readings are stored has them on disk.
///
/// What comes late has a queue of its own, since looking for it in sealed days takes longer: nobody whose readings come
/// in time waits for that, or is refused for it.
final class ReadingsWriter {
  /// Called after the commit with what was accepted of one request, before it is answered.
  var onAccepted: [(_ garden: Identifier, _ device: Identifier, _ readings: [Reading]) -> Void] = []

  private let recent: ReadingsQueue
  private let late: ReadingsQueue

  init(loop: EventLoop, database: Database, partitions: ReadingPartitions) {
    // One batch for each of the database's writers, so that the server computes one while another waits for the disk.
    recent = ReadingsQueue(
      loop: loop, database: database, store: RecentReadings(database: database, partitions: partitions),
      bounds: ReadingsQueue.Bounds(
        batches: database.configuration.writers, batchRows: 8_192, waitingRows: 65_536, waitingRequests: 4_096,
        waitingOfDevice: 4_096, cutsWhatIsSlow: false))
    late = ReadingsQueue(
      loop: loop, database: database, store: LateReadings(database: database),
      bounds: ReadingsQueue.Bounds(
        batches: 1, batchRows: 4_096, waitingRows: 65_536, waitingRequests: 1_024, waitingOfDevice: 16,
        cutsWhatIsSlow: true))
  }

  /// Stores readings of one device; once it returns, they are committed. Throws `Problem` when too many wait or the
  /// database is away; then they may or may not be stored, and sending them again is safe.
  func store(_ submission: ReadingsSubmission, at now: Timestamp) async throws -> StoredReadings {
    let end = OpenDays.start(at: now)
    guard submission.readings.contains(where: { $0.measuredAt < end }) else {
      return try await store(submission, in: recent)
    }
    let (fresh, past) = (submission.part { $0.measuredAt >= end }, submission.part { $0.measuredAt < end })
    var stored = fresh.readings.isEmpty ? StoredReadings() : try await store(fresh, in: recent)
    stored += try await store(past, in: late)
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
