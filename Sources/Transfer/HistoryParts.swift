import Gardens
import Postgres
import Values

/// What has come of a device's history, apart from all other readings until the rest is there: who stores the same readings,
/// makes buckets or drops a day would otherwise wait for the file's sender.
struct HistoryParts {
  let device: Identifier
  /// Of the parts, in the file's order.
  private(set) var ids: [Int64] = []

  init(device: Identifier) { self.device = device }

  /// Takes the readings out of a batch, even if there are none.
  mutating func move(_ batch: inout ImportBatch, in transaction: Transaction) async throws(PostgresError) {
    let (readings, hours) = (batch.readings, batch.hours)
    let rows = try await transaction.query(
      Self.insert, readings.map(\.sensorType) + hours.map(\.sensorType),
      readings.map(\.measuredAt) + hours.map(\.start), readings.map(\.value) + hours.map(\.sum))
    ids.append(try rows[0].decode(Int64.self, 0))
    (batch.readings, batch.hours, batch.bytes) = ([], [], 0)
  }

  /// Takes out the readings of a part; those that are kept by the hour have its beginning for their time.
  func take(_ id: Int64, in transaction: Transaction) async throws(PostgresError) -> [ImportBatch.Reading] {
    let row = try await transaction.query(Self.take, id)[0]
    let (types, times) = (try row.decode([String].self, 0), try row.decode([Timestamp].self, 1))
    let values = try row.decode([Double].self, 2)
    return types.indices.map { index in
      ImportBatch.Reading(
        device: device, sensorType: types[index], measuredAt: times[index], value: values[index])
    }
  }

  /// Lets the rollup leave the device alone until the transaction's end.
  func holdHours(in transaction: Transaction) async throws(PostgresError) {
    try await transaction.execute(DeviceHours.hold, device)
  }

  private static let insert = Statement(
    "history.keep",
    "INSERT INTO history_parts (sensor_types, times, values) VALUES ($1, $2, $3) RETURNING id")
  private static let take = Statement(
    "history.take", "DELETE FROM history_parts WHERE id = $1 RETURNING sensor_types, times, values")
}
