import Postgres
import Values
import Web

/// Deletes the readings of devices that are deleted, and those that still arrive at that moment: readings are stored
/// without a look at their device, also by replicas that do not know of its end yet, so that some may be committed just
/// after it.
enum ErasedDevices {
  /// How long readings may still arrive after a device's end, as an interval of SQL: far longer than a key is
  /// remembered and a statement takes.
  static let watch = "10 minutes"
  /// The most devices of one run.
  static let devicesPerRun = 500
  /// The most devices whose readings one statement deletes when they are deleted: the buckets of years are hundreds of
  /// thousands for each sensor, and a statement has its time-out.
  static let devicesPerStatement = 5

  static var duty: Duty {
    Duty(name: "readings.erased", intervalSeconds: 5, timeoutMilliseconds: 60_000) { transaction in
      let devices = try await transaction.query(sweep, devicesPerRun).map { try $0.decode(Identifier.self, 0) }
      try await delete(devices, in: transaction)
      try await transaction.execute(forget)
      return false
    }
  }

  /// Deletes all readings of devices that are about to be deleted, and remembers these devices.
  static func deleteReadings(of devices: [Identifier], in transaction: Transaction) async throws {
    if devices.isEmpty { return }
    try await transaction.execute(add, devices)
    for start in stride(from: 0, to: devices.count, by: devicesPerStatement) {
      try await delete(Array(devices[start...].prefix(devicesPerStatement)), in: transaction)
    }
  }

  private static func delete(_ devices: [Identifier], in transaction: Transaction) async throws {
    if devices.isEmpty { return }
    for statement in deletions { try await transaction.execute(statement, devices) }
  }

  // In the order in which readings move from one table to the next, so that what was moved meanwhile is found there.
  // Days are deleted with their hours. The rollup drops by itself what is queued for a device that is gone: waiting for
  // its queue while holding the device, for which the rollup waits, would be a deadlock.
  private static let deletions = [
    "readings", "readings_late", "readings_sealed", "readings_5m", "readings_1h",
  ].map { table in Statement("erasure.\(table)", "DELETE FROM \(table) WHERE device_id = ANY ($1)") }
  private static let add = Statement(
    "erasedDevices.add", "INSERT INTO erased_devices (device_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING")
  private static let sweep = Statement(
    "erasedDevices.sweep",
    """
    UPDATE erased_devices SET swept_at = now()
    WHERE device_id IN (SELECT device_id FROM erased_devices ORDER BY swept_at LIMIT $1) RETURNING device_id
    """)
  private static let forget = Statement(
    "erasedDevices.forget", "DELETE FROM erased_devices WHERE swept_at > erased_at + interval '\(watch)'")
}
