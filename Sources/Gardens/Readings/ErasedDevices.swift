import Postgres
import Values
import Web

/// Deletes what came in for devices that were being deleted at that moment: readings are stored without a look at their
/// device, on replicas that may not know yet, so that some can be committed just after its end.
enum ErasedDevices {
  /// How long something may still come, as an interval of SQL: far longer than a key is remembered and a statement
  /// takes.
  static let watch = "10 minutes"
  /// The most devices of one run.
  static let devicesPerRun = 500

  static var duty: Duty {
    Duty(name: "readings.erased", intervalSeconds: 5, timeoutMilliseconds: 60_000) { transaction in
      let devices = try await transaction.query(sweep, devicesPerRun).map { try $0.decode(Identifier.self, 0) }
      try await Readings.deleteRows(of: devices, in: transaction)
      try await transaction.execute(forget)
      return false
    }
  }

  /// Remembers devices, in the transaction that deletes them.
  static func note(_ devices: [Identifier], in transaction: Transaction) async throws {
    try await transaction.execute(add, devices)
  }

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
