import Postgres
import Reactor
import Values
import Web

/// Stores the readings of one loop: what arrives while statements are in flight goes into the next one together, so
/// that the disk is waited for once for many requests. There is one statement at a time for each of the database's
/// writers, so that the server computes one while another waits for the disk. Who is told that readings are stored has
/// them on disk.
///
/// A statement is as good as its worst part: one that the server refuses is cut in two and tried again, so that no
/// request fails for another's sake. When a connection is lost, nobody knows whether the statement was committed; it
/// is sent again, which changes nothing that was.
final class ReadingsWriter {
  /// The most readings of one statement, unless one request alone has more.
  static let statementRows = 8_192
  /// The most readings that wait for the statement in flight; further requests are refused.
  static let waitingRows = 65_536
  /// The most requests that wait; further ones are refused.
  static let waitingRequests = 4_096
  /// How long the store may be away before those who wait are told so, in nanoseconds.
  static let patienceNanoseconds: UInt64 = 3_000_000_000
  /// The pause before a statement is sent again, in nanoseconds.
  static let pauseNanoseconds: UInt64 = 20_000_000
  /// How many statements in a row have to find nothing that is stored already before this is hoped for again.
  static let carefulStatements = 64

  /// Called after the commit with what was accepted of one request, before it is answered.
  var onAccepted: [(_ garden: Identifier, _ device: Identifier, _ readings: [Reading]) -> Void] = []

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private let database: Database
  private let partitions: ReadingPartitions
  private let late: LateReadings
  private var waiting: [ReadingsSubmission] = []
  private var waitingCount = 0
  /// How many statements are in flight or about to be sent.
  private var writing = 0
  /// Whether one of them will be sent at the turn's end.
  private var isScheduled = false
  /// How many statements are still to expect readings that are stored already.
  private var carefulLeft = 0

  init(loop: EventLoop, database: Database, partitions: ReadingPartitions) {
    self.loop = loop
    self.database = database
    self.partitions = partitions
    late = LateReadings(database: database)
  }

  /// Stores readings of one device; once it returns, they are committed. Throws `Problem` when too many wait or the
  /// database is away; then they may or may not be stored, and sending them again is safe.
  func store(_ submission: ReadingsSubmission, at now: Timestamp) async throws -> StoredReadings {
    let end = LateReadings.end(at: now)
    guard submission.readings.contains(where: { $0.measuredAt < end }) else { return try await store(submission) }
    let (recent, past) = (submission.part { $0.measuredAt >= end }, submission.part { $0.measuredAt < end })
    var stored = recent.readings.isEmpty ? StoredReadings() : try await store(recent)
    stored += try await late.store(past)
    notify(past)
    return stored
  }

  /// Stores readings all of which come in time.
  func store(_ submission: ReadingsSubmission) async throws -> StoredReadings {
    guard database.isUsable else { throw Problem(.unavailable, "The readings cannot be stored now. Send them again.") }
    guard waitingCount + submission.readings.count <= Self.waitingRows, waiting.count < Self.waitingRequests else {
      throw Problem(Limit.readings)
    }
    waiting.append(submission)
    waitingCount += submission.readings.count
    if !isScheduled, writing < database.configuration.writers {
      isScheduled = true
      writing += 1
      // Not before the turn's end: what arrives in the same turn shares the statement.
      loop.atEndOfTurn(self)
    }
    return try await submission.wait()
  }

  private func writeAll() async {
    while !waiting.isEmpty { await write(takeWaiting(), until: loop.now + Self.patienceNanoseconds) }
    writing -= 1
  }

  /// The longest-waiting submissions that fit into one statement.
  private func takeWaiting() -> [ReadingsSubmission] {
    var count = 0
    var rows = 0
    while count < waiting.count, count == 0 || rows + waiting[count].readings.count <= Self.statementRows {
      rows += waiting[count].readings.count
      count += 1
    }
    let taken = Array(waiting[..<count])
    waiting.removeFirst(count)
    waitingCount -= rows
    return taken
  }

  // MARK: Statements

  private func write(_ submissions: [ReadingsSubmission], until deadline: UInt64) async {
    let batch = ReadingsBatch(submissions)
    var progress = Progress()
    var hasMadeRoom = false
    while true {
      do throws(PostgresError) {
        try await write(batch, of: submissions, &progress)
        return finish(submissions)
      } catch {
        switch remedy(for: error) {
        case .again:
          if error.outcomeIsUnknown { progress.isPerhapsStored = true }
          await loop.sleep(nanoseconds: Self.pauseNanoseconds)
          if loop.now < deadline, await database.waitUntilUsable(nanoseconds: deadline - loop.now) { continue }
        case .makeRoom where !hasMadeRoom:
          hasMadeRoom = true
          // If it fails, so does the next attempt, and says why.
          try? await partitions.make(for: submissions.flatMap { $0.readings.map(\.measuredAt) }, in: database)
          continue
        case .apart where submissions.count > 1:
          return await writeHalves(submissions, until: deadline)
        case .apart, .makeRoom, .none: break
        }
        for submission in submissions { submission.settle(error) }
        return
      }
    }
  }

  private func writeHalves(_ submissions: [ReadingsSubmission], until deadline: UInt64) async {
    let middle = submissions.count / 2
    await write(Array(submissions[..<middle]), until: deadline)
    await write(Array(submissions[middle...]), until: deadline)
  }

  private enum Remedy { case again, makeRoom, apart, none }

  private func remedy(for error: PostgresError) -> Remedy {
    switch error.kind {
    case .unavailable: .again
    case .server: error.isSerializationFailure ? .again : error.lacksPartition ? .makeRoom : .apart
    // More of the same is no help to a server that is too slow.
    case .timeout, .overloaded, .misuse, .configuration: .none
    }
  }

  /// How far a batch has come, from one attempt to the next.
  private struct Progress {
    /// Whether an attempt may have stored it without saying so.
    var isPerhapsStored = false
    /// How many of its readings an attempt has stored, and in which transaction, unless an earlier one may have, too.
    var stored: (count: Int, transaction: Int64?)?
  }

  private func write(
    _ batch: ReadingsBatch, of submissions: [ReadingsSubmission], _ progress: inout Progress
  ) async throws(PostgresError) {
    if progress.stored == nil {
      if carefulLeft == 0, !progress.isPerhapsStored, !batch.repeatsItself, try await writeNew(batch) {
        return Self.acceptAll(submissions)
      }
      let rows = try await database.write(Self.insert, batch.devices, batch.types, batch.times, batch.values)
      let (count, transaction) = try rows[0].decode((Int.self, Int64.self))
      progress.stored = (count, progress.isPerhapsStored ? nil : transaction)
    }
    guard let stored = progress.stored, stored.count < batch.count else {
      carefulLeft = max(0, carefulLeft - 1)
      return Self.acceptAll(submissions)
    }
    carefulLeft = Self.carefulStatements
    batch.settle(submissions, try await find(batch, transaction: stored.transaction))
  }

  /// Stores a batch that is hoped to be all new, without the careful statement's look for duplicates. False when some
  /// of it was there already: then nothing is stored.
  private func writeNew(_ batch: ReadingsBatch) async throws(PostgresError) -> Bool {
    do throws(PostgresError) {
      let added = batch.additions
      _ = try await database.write(
        Self.insertNew, batch.devices, batch.types, batch.times, batch.values, added.devices, added.types,
        added.starts, added.minima, added.maxima, added.sums, added.counts)
      return true
    } catch  where error.isUniqueViolation {
      carefulLeft = Self.carefulStatements
      return false
    }
  }

  private static func acceptAll(_ submissions: [ReadingsSubmission]) {
    for submission in submissions { submission.stored.accepted = submission.readings }
  }

  /// What is stored for each reading of a batch, some of which were there before: ours is what bears our transaction's
  /// number. Without a number, what is there with the same value passes for ours, since a lost attempt put it there.
  private func find(_ batch: ReadingsBatch, transaction: Int64?) async throws(PostgresError) -> [ReadingsBatch.Found?] {
    let rows = try await database.query(Self.find, batch.devices, batch.types, batch.times)
    var found: [ReadingsBatch.Found?] = []
    found.reserveCapacity(rows.count)
    for row in rows { found.append(try ReadingsBatch.Found(row, transaction: transaction)) }
    return found
  }

  private func finish(_ submissions: [ReadingsSubmission]) {
    for submission in submissions {
      notify(submission)
      submission.settle()
    }
  }

  private func notify(_ submission: ReadingsSubmission) {
    if submission.stored.accepted.isEmpty { return }
    for notify in onAccepted { notify(submission.garden, submission.device, submission.stored.accepted) }
  }
}

extension ReadingsWriter: TurnEnd {
  func flush() {
    isScheduled = false
    loop.spawn { [self] in await writeAll() }
  }
}
