import Metrics
import Values
import Web

/// Counts the readings of one loop by device, sensor type and outcome.
final class ReadingMeters {
  /// The most devices whose counters are remembered; with more, all are looked up anew.
  static let maximumDevices = 10_000
  /// The most sensor types of a device whose counters are remembered.
  static let maximumTypes = 64

  private struct Entry {
    let type: SensorType?
    let accepted: Counter
    let duplicate: Counter
    let rejected: Counter
  }

  private let family: Family<Counter>
  private let shard: Int
  private var devices: [Identifier: [Entry]] = [:]

  init(_ instruments: Instruments, shard: Int) {
    family = instruments.readings
    self.shard = shard
  }

  /// Counts the outcome of a device's request.
  func count(_ device: Identifier, _ stored: StoredReadings, rejections: [Rejection]) {
    var entries = devices[device] ?? []
    let known = entries.count
    // Readings of one type often stand together: each run of them is counted at once.
    Self.forEachRun(stored.accepted) { entry($0, device, &entries).accepted.increment(by: $1) }
    Self.forEachRun(stored.duplicates) { entry($0, device, &entries).duplicate.increment(by: $1) }
    for rejection in rejections { entry(rejection.type, device, &entries).rejected.increment() }
    guard entries.count != known else { return }
    if devices.count >= Self.maximumDevices { devices.removeAll(keepingCapacity: true) }
    devices[device] = entries
  }

  private static func forEachRun(_ readings: [Reading], _ body: (SensorType, UInt64) -> Void) {
    var start = 0
    for index in readings.indices
    where index + 1 == readings.count || readings[index + 1].type !== readings[index].type {
      body(readings[index].type, UInt64(index + 1 - start))
      start = index + 1
    }
  }

  private func entry(_ type: SensorType?, _ device: Identifier, _ entries: inout [Entry]) -> Entry {
    if let found = entries.first(where: { Self.areOne($0.type, type) }) { return found }
    // No sensor type begins with an underscore.
    let labels = (type?.name ?? "_invalid", device.description)
    let entry = Entry(
      type: type, accepted: family.child(shard: shard, labels.0, labels.1, "accepted"),
      duplicate: family.child(shard: shard, labels.0, labels.1, "duplicate"),
      rejected: family.child(shard: shard, labels.0, labels.1, "rejected"))
    if entries.count < Self.maximumTypes { entries.append(entry) }
    return entry
  }

  private static func areOne(_ left: SensorType?, _ right: SensorType?) -> Bool {
    guard let left, let right else { return left == nil && right == nil }
    return left.equals(right)
  }
}
