import Postgres
import Values

/// Stores readings that come in time, as rows of their day's partition.
final class RecentReadings: ReadingsStore {
  /// How many batches in a row have to be all new before the next one is expected to be.
  static let carefulBatches = 64

  private let database: Database
  private let partitions: ReadingPartitions
  /// How many batches are still expected to have readings that are stored already.
  private var carefulLeft = 0

  init(database: Database, partitions: ReadingPartitions) {
    self.database = database
    self.partitions = partitions
  }

  func store(
    _ batch: ReadingsBatch, of submissions: [ReadingsSubmission], _ progress: inout StoringProgress
  ) async throws(PostgresError) {
    do throws(PostgresError) {
      try await write(batch, of: submissions, &progress)
    } catch  where error.lacksPartition {
      // Should this fail, so does the next attempt, and says why.
      try? await partitions.make(for: submissions.flatMap { $0.readings.map(\.measuredAt) }, in: database)
      try await write(batch, of: submissions, &progress)
    }
  }

  private func write(
    _ batch: ReadingsBatch, of submissions: [ReadingsSubmission], _ progress: inout StoringProgress
  ) async throws(PostgresError) {
    if progress.stored == nil {
      if carefulLeft == 0, !progress.isPerhapsStored, !batch.repeatsItself, try await writeNew(batch) {
        return batch.acceptAll(submissions)
      }
      let rows = try await database.write(Self.insert, batch.devices, batch.types, batch.times, batch.values)
      let (count, transaction) = try rows[0].decode((Int.self, Int64.self))
      progress.stored = (count, progress.isPerhapsStored ? nil : transaction)
    }
    guard let stored = progress.stored, stored.count < batch.count else {
      carefulLeft = max(0, carefulLeft - 1)
      return batch.acceptAll(submissions)
    }
    carefulLeft = Self.carefulBatches
    // What is ours bears our transaction's number. Without a number, what is there with the same value counts as ours,
    // since a lost attempt put it there.
    let found = try await database.query(Self.find, batch.devices, batch.types, batch.times)
    batch.settle(submissions, try batch.found(found, transaction: stored.transaction))
  }

  /// Stores a batch that is expected to be all new, without looking for duplicates. Returns false when some of it was
  /// there already: then nothing is stored.
  private func writeNew(_ batch: ReadingsBatch) async throws(PostgresError) -> Bool {
    do throws(PostgresError) {
      let added = batch.additions
      _ = try await database.write(
        Self.insertNew, batch.devices, batch.types, batch.times, batch.values, added.devices, added.types,
        added.starts, added.minima, added.maxima, added.sums, added.counts)
      return true
    } catch  where error.isUniqueViolation {
      carefulLeft = Self.carefulBatches
      return false
    }
  }
}
