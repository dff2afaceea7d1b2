import Postgres
import Values
import Web

/// Stores readings of days that are over, and may be sealed. They wait in a table of their own until they are merged
/// into their day, and count as new, duplicate or conflict by what is stored in any form.
///
/// Storing and sealing take turns, so that nothing is merged meanwhile.
package final class LateReadings: ReadingsStore {
  private let database: Database
  private let storingMilliseconds: Int

  /// `storingMilliseconds` is the time-out of each statement that stores; the usual one unless given.
  init(database: Database, storingMilliseconds: Int? = nil) {
    self.database = database
    self.storingMilliseconds = storingMilliseconds ?? database.configuration.statementTimeoutMilliseconds
  }

  /// Stores a batch of readings, all of which are late; once it returns, they are committed.
  func store(
    _ batch: ReadingsBatch, of submissions: [ReadingsSubmission], _ progress: inout StoringProgress
  ) async throws {
    let isPerhapsStored = progress.isPerhapsStored
    try await database.transaction { try await store(batch, of: submissions, isPerhapsStored, in: $0) }
  }

  private func store(
    _ batch: ReadingsBatch, of submissions: [ReadingsSubmission], _ isPerhapsStored: Bool, in transaction: Transaction
  ) async throws {
    do {
      try await transaction.execute(Self.keepOrder, Duty.lockClass, OpenDays.orderKey)
    } catch  where error.kind == .timeout {
      // The sealing is slow then, not these readings: a time-out would set them aside.
      throw Problem(Limit.readings)
    }
    try await transaction.limitLocks(milliseconds: database.configuration.lockTimeoutMilliseconds)
    try await transaction.limitStatements(milliseconds: storingMilliseconds)
    let rows = try await transaction.query(Self.insert, batch.devices, batch.types, batch.times, batch.values)
    let (count, number) = try rows[0].decode((Int.self, Int64.self))
    if count == batch.count { return batch.acceptAll(submissions) }
    let found = try await transaction.query(Self.find, batch.devices, batch.types, batch.times)
    batch.settle(submissions, try batch.found(found, transaction: isPerhapsStored ? nil : number))
  }

  // MARK: SQL

  private static let keepOrder = Statement("readings.late.order", "SELECT pg_advisory_xact_lock_shared($1, $2)")

  /// The rows of the statement's part `key`, each with what is stored under it, and by which transaction where that can
  /// be told. Each row takes one look into an index; of a sealed day only the readings from the first to the last of
  /// the rows' times are unpacked, once for all of them.
  package static let held = """
    sealed AS MATERIALIZED (
      SELECT s.device_id, s.sensor_type, s.start, u.ms, u.value
      FROM (
        SELECT device_id, sensor_type, \(keyDay) AS start, min(\(keyTime)) AS first, max(\(keyTime)) AS last
        FROM key GROUP BY 1, 2, 3
      ) day
      JOIN readings_sealed s USING (device_id, sensor_type, start)
      CROSS JOIN LATERAL (
        SELECT width_bucket(day.first - 1, s.times) + 1 AS first, width_bucket(day.last, s.times) AS last
      ) place
      CROSS JOIN LATERAL unnest(s.times[place.first:place.last], s.values[place.first:place.last]) AS u (ms, value)
    ), held AS MATERIALIZED (
      SELECT key.*, coalesce(loose.value, sealed.value) AS stored, coalesce(loose.transaction, 0) AS transaction
      FROM key
      LEFT JOIN LATERAL (
        (SELECT r.value, r.xmin::text::int8 AS transaction FROM readings_late r WHERE \(isOfKey) LIMIT 1)
        UNION ALL
        (SELECT r.value, 0 FROM readings r WHERE \(isOfKey) LIMIT 1)
        LIMIT 1
      ) AS loose ON true
      LEFT JOIN sealed ON sealed.device_id = key.device_id AND sealed.sensor_type = key.sensor_type
        AND sealed.start = \(keyDay) AND sealed.ms = \(keyTime)
    )
    """
  private static let keyDay = RawReadings.day(of: "key.measured_at")
  private static let keyTime = RawReadings.milliseconds("key.measured_at", from: keyDay)
  private static let isOfKey =
    "r.device_id = key.device_id AND r.sensor_type = key.sensor_type AND r.measured_at = key.measured_at"

  private static let insert = Statement(
    "readings.late.insert",
    """
    WITH key AS (
      SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::float8[])
        AS key (device_id, sensor_type, measured_at, value)
    ), \(held), fresh AS (
      INSERT INTO readings_late (device_id, sensor_type, measured_at, value)
      SELECT device_id, sensor_type, measured_at, value FROM held WHERE stored IS NULL
      ORDER BY 1, 2, 3
      ON CONFLICT DO NOTHING
      RETURNING device_id, sensor_type, measured_at, value
    ), \(RecentReadings.added)
    SELECT count(*), pg_current_xact_id()::text::int8 FROM fresh
    """)

  private static let find = Statement(
    "readings.late.find",
    """
    WITH key AS (
      SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY
        AS key (device_id, sensor_type, measured_at, position)
    ), \(held)
    SELECT stored, transaction FROM held ORDER BY position
    """)
}
