import Postgres
import Values

extension Readings {
  /// Deletes everything that was measured by devices that are about to go.
  static func delete(of devices: [Identifier], in transaction: Transaction) async throws {
    if devices.isEmpty { return }
    try await ErasedDevices.note(devices, in: transaction)
    try await deleteRows(of: devices, in: transaction)
  }

  /// Deletes everything that devices have measured.
  static func deleteRows(of devices: [Identifier], in transaction: Transaction) async throws {
    if devices.isEmpty { return }
    for statement in deletions { try await transaction.execute(statement, devices) }
  }

  // In the order in which readings are moved from one to the next: what was moved meanwhile is found there. Days go
  // with their hours. The rollup drops by itself what is queued for a device that is gone: waiting for its queue while
  // holding the device, for which the rollup waits, would go on for ever.
  private static let deletions = [
    "readings", "readings_late", "readings_sealed", "readings_5m", "readings_1h",
  ].map { table in Statement("erasure.\(table)", "DELETE FROM \(table) WHERE device_id = ANY ($1)") }
}
