import Gardens
import Postgres
import Values

/// The parts of a device's history that have arrived, kept in a table of their own until the file is complete.
/// Otherwise whatever stores the same readings, makes buckets or drops a day would wait for the file's sender.
struct HistoryParts {
  struct Part {
    let id: Int64
    /// The first and the last of its readings that are kept by the hour alone; nil without any.
    let span: ClosedRange<Timestamp>?
  }

  /// The most parts whose hours are made by one statement, unless its slice is as short as `leastSpan`. It bounds what
  /// is sorted.
  static let maximumTogether = 100
  /// A slice no longer than this, in milliseconds, is not split. In a file without any order, where every slice needs
  /// every part, it bounds how often a part is read.
  static let leastSpan = 30 * 24 * Timestamp.millisecondsPerHour

  let device: Identifier
  /// Readings from here on stay raw; those before are kept by the hour alone. The beginning of an hour.
  let rawFrom: Timestamp
  /// In the file's order.
  private(set) var parts: [Part] = []
  /// How many readings are kept by the hour alone.
  private(set) var oldCount = 0

  init(device: Identifier, rawFrom: Timestamp) {
    self.device = device
    self.rawFrom = rawFrom
  }

  /// Moves the batch's readings into a new part. An empty one is stored too, which keeps the transaction from being
  /// idle.
  mutating func move(_ batch: inout ImportBatch, in transaction: Transaction) async throws(PostgresError) {
    let readings = batch.readings
    let rows = try await transaction.query(
      Self.insert, readings.map(\.sensorType), readings.map(\.measuredAt), readings.map(\.value))
    add(try rows[0].decode(Int64.self, 0), readings.map(\.measuredAt))
    (batch.readings, batch.bytes) = ([], 0)
  }

  /// Notes a part whose readings have these times.
  mutating func add(_ id: Int64, _ times: [Timestamp]) {
    let old = times.filter { $0 < rawFrom }
    oldCount += old.count
    parts.append(Part(id: id, span: old.min().map { $0...old.max()! }))
  }

  /// Removes a part from the table and returns its readings that stay raw.
  func take(_ part: Part, in transaction: Transaction) async throws(PostgresError) -> [ImportBatch.Reading] {
    let row = try await transaction.query(Self.take, part.id, rawFrom)[0]
    let (types, times) = (try row.decode([String].self, 0), try row.decode([Timestamp].self, 1))
    let values = try row.decode([Double].self, 2)
    return types.indices.map { index in
      ImportBatch.Reading(
        device: device, sensorType: types[index], measuredAt: times[index], value: values[index])
    }
  }

  // MARK: Hours

  /// A span of time whose hours are made together, and the parts that have readings of it.
  struct Slice: Equatable {
    let from: Timestamp
    let to: Timestamp
    let parts: [Int64]
  }

  /// The time of the readings that are kept by the hour, in slices of whole hours.
  var slices: [Slice] {
    guard let first = parts.compactMap(\.span?.lowerBound).min() else { return [] }
    let hours = (rawFrom.unixMilliseconds - first.unixMilliseconds) / Timestamp.millisecondsPerHour + 1
    return slices(hours: hours, before: rawFrom, of: parts)
  }

  private func slices(hours: Int64, before to: Timestamp, of parts: [Part]) -> [Slice] {
    let from = to.advanced(byMilliseconds: -hours * Timestamp.millisecondsPerHour)
    let parts = parts.filter { part in part.span.map { $0.lowerBound < to && $0.upperBound >= from } ?? false }
    guard parts.count > Self.maximumTogether, hours * Timestamp.millisecondsPerHour > Self.leastSpan else {
      return parts.isEmpty ? [] : [Slice(from: from, to: to, parts: parts.map(\.id))]
    }
    let later = hours / 2
    let middle = to.advanced(byMilliseconds: -later * Timestamp.millisecondsPerHour)
    return slices(hours: hours - later, before: middle, of: parts) + slices(hours: later, before: to, of: parts)
  }

  /// Makes the hours of a slice, except those that had readings before, and returns how many readings they are of. Of
  /// two readings with the same type and time only the first in the file counts.
  func makeHours(of slice: Slice, in transaction: Transaction) async throws(PostgresError) -> Int {
    let rows = try await transaction.query(Self.makeHours, device, slice.parts, slice.from, slice.to)
    return try rows[0].decode(Int.self, 0)
  }

  /// Keeps the rollup off the hours of the device until the transaction ends.
  func holdHours(in transaction: Transaction) async throws(PostgresError) {
    try await transaction.execute(DeviceHours.hold, device)
  }

  // MARK: SQL

  private static let insert = Statement(
    "history.keep",
    "INSERT INTO history_parts (sensor_types, times, values) VALUES ($1, $2, $3) RETURNING id")
  private static let readings =
    "unnest(sensor_types, times, values) WITH ORDINALITY AS r (sensor_type, measured_at, value, line)"
  private static let take = Statement(
    "history.take",
    """
    WITH part AS (DELETE FROM history_parts WHERE id = $1 RETURNING sensor_types, times, values)
    SELECT coalesce(array_agg(sensor_type ORDER BY line), '{}'), coalesce(array_agg(measured_at ORDER BY line), '{}'),
      coalesce(array_agg(value ORDER BY line), '{}')
    FROM part, \(readings) WHERE measured_at >= $2
    """)
  // Sorted by time before type, since most files are in that order already.
  private static let makeHours = Statement(
    "history.makeHours",
    """
    WITH file AS (
      SELECT DISTINCT ON (measured_at, sensor_type) sensor_type, measured_at, value
      FROM history_parts, \(readings)
      WHERE id = ANY ($2) AND measured_at >= $3 AND measured_at < $4
      ORDER BY measured_at, sensor_type, id, line
    ), made AS (
      INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
      SELECT $1, sensor_type, \(RawReadings.bucket("1 hour", of: "measured_at")), min(value),
        max(value), sum(value), count(*)
      FROM file GROUP BY 2, 3 ON CONFLICT DO NOTHING RETURNING count
    )
    SELECT coalesce(sum(count), 0)::bigint FROM made
    """)
}
