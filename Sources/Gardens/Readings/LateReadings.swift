import Postgres
import Values
import Web

/// Stores readings of days that are over, which may be sealed: they wait in a table of their own until they are merged
/// into their day, and count as new, duplicate or conflict by what is stored in any form.
///
/// Nothing is merged meanwhile: who stores and who seals take turns.
package final class LateReadings: ReadingsStore {
  /// How many days after its end a day may be sealed; until then everything of it goes to its partition.
  static let openDays: Int64 = 1

  private let database: Database

  init(database: Database) { self.database = database }

  /// The end of what is late at a moment: the start of the day before.
  package static func end(at now: Timestamp) -> Timestamp {
    let day = now.unixMilliseconds.floorDivided(by: dayMilliseconds) - openDays
    return Timestamp(unixMilliseconds: day * dayMilliseconds)
  }
  private static let dayMilliseconds: Int64 = 86_400_000

  /// Stores a batch of readings, all of which are late; once it returns, they are committed.
  func store(
    _ batch: ReadingsBatch, of submissions: [ReadingsSubmission], _ progress: inout ReadingsQueue.Progress
  ) async throws {
    let isPerhapsStored = progress.isPerhapsStored
    try await database.transaction { try await store(batch, of: submissions, isPerhapsStored, in: $0) }
  }

  private func store(
    _ batch: ReadingsBatch, of submissions: [ReadingsSubmission], _ isPerhapsStored: Bool, in transaction: Transaction
  ) async throws(PostgresError) {
    try await transaction.execute(Self.keepOrder, Duty.lockClass, ReadingsSealing.orderKey)
    let rows = try await transaction.query(Self.insert, batch.devices, batch.types, batch.times, batch.values)
    let (count, number) = try rows[0].decode((Int.self, Int64.self))
    if count == batch.count { return batch.acceptAll(submissions) }
    let found = try await transaction.query(Self.find, batch.devices, batch.types, batch.times)
    batch.settle(submissions, try batch.found(found, transaction: isPerhapsStored ? nil : number))
  }

  // MARK: SQL

  private static let keepOrder = Statement("readings.late.order", "SELECT pg_advisory_xact_lock_shared($1, $2)")

  /// What is stored under `key`, and by which transaction where that can be told. One look into an index for each part;
  /// a sealed day's times are searched in their array, not made rows of.
  package static let held = """
    (SELECT r.value, r.xmin::text::int8 AS transaction FROM readings_late r WHERE \(isOfKey) LIMIT 1)
    UNION ALL
    (SELECT r.value, 0 FROM readings r WHERE \(isOfKey) LIMIT 1)
    UNION ALL
    (SELECT s.values[place], 0 FROM readings_sealed s CROSS JOIN LATERAL
      array_position(s.times, \(RawReadings.milliseconds("key.measured_at", from: "s.start"))) AS place
    WHERE s.device_id = key.device_id AND s.sensor_type = key.sensor_type
      AND s.start = \(RawReadings.day(of: "key.measured_at")) AND place IS NOT NULL LIMIT 1)
    """
  private static let isOfKey =
    "r.device_id = key.device_id AND r.sensor_type = key.sensor_type AND r.measured_at = key.measured_at"

  private static let insert = Statement(
    "readings.late.insert",
    """
    WITH fresh AS (
      INSERT INTO readings_late (device_id, sensor_type, measured_at, value)
      SELECT key.* FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::float8[])
        AS key (device_id, sensor_type, measured_at, value)
      LEFT JOIN LATERAL (\(held) LIMIT 1) AS held ON true
      WHERE held.value IS NULL
      ORDER BY 1, 2, 3
      ON CONFLICT DO NOTHING
      RETURNING device_id, sensor_type, measured_at, value
    ), \(RecentReadings.added)
    SELECT count(*), pg_current_xact_id()::text::int8 FROM fresh
    """)

  private static let find = Statement(
    "readings.late.find",
    """
    SELECT held.value, held.transaction
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY
      AS key (device_id, sensor_type, measured_at, position)
    LEFT JOIN LATERAL (\(held) LIMIT 1) AS held ON true
    ORDER BY key.position
    """)
}
