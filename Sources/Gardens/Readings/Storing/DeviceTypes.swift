import Postgres
import Reactor
import Values
import Web

/// The sensor types of which devices have readings, as far as one loop knows. A device may have `maximumTypes`.
///
/// What is known is what the database has noted, and holds only as long as it is the same one: after a failover, the
/// server that has taken over may lack the last notes.
package final class DeviceTypes {
  /// The most sensor types of a device.
  package static let maximumTypes = Device.maximumSensorTypes
  /// The most devices whose types are remembered; with more, all are read anew.
  static let maximumDevices = 10_000
  /// The pauses after the attempts at writing new types while another transaction has locked the device, in
  /// nanoseconds. Each is cut short by chance, so that requests that came together are not tried together again.
  static let pausesNanoseconds: [UInt64] = [25_000_000, 50_000_000, 100_000_000, 200_000_000, 400_000_000]

  private let database: Database
  private let sensorTypes: SensorTypes
  private var known: [Identifier: [SensorType]] = [:]
  /// The database's `readerConnections` when that was learnt.
  private var knownConnections = 0

  init(database: Database, sensorTypes: SensorTypes) {
    self.database = database
    self.sensorTypes = sensorTypes
  }

  /// Splits readings into those that may be stored and those whose types are more than the device may have. Throws 404
  /// when the device is gone, 503 while another transaction keeps it locked, and the database's errors.
  func admit(
    _ readings: [Reading], of device: Identifier
  ) async throws -> (admitted: [Reading], refused: [Rejection]) {
    if knownConnections != database.readerConnections {
      known.removeAll(keepingCapacity: true)
      knownConnections = database.readerConnections
    }
    var types = known[device] ?? []
    if Self.types(of: readings, beyond: types).isEmpty { return (readings, []) }
    // Most often the database knows the types already: writing them again would make each request of very many devices
    // a change of its own.
    if known[device] == nil { types = try keep(await database.query(Self.noted, device), of: device) ?? [] }
    let new = Self.types(of: readings, beyond: types)
    if new.isEmpty { return (readings, []) }
    if types.count < Self.maximumTypes { types = try await learn(new, of: device) }
    let admitted = readings.filter { reading in types.contains { $0.equals(reading.type) } }
    let refused = readings.filter { reading in !types.contains { $0.equals(reading.type) } }
    return (admitted, refused.map { Rejection(index: $0.index, reason: .tooManyTypes, type: $0.type) })
  }

  /// Adds types to those of a device, and returns all. The statement never waits for a lock: those of others would wait
  /// behind it on the same connection, and an erasure takes its time.
  private func learn(_ new: [SensorType], of device: Identifier) async throws -> [SensorType] {
    for pause in Self.pausesNanoseconds + [0] {
      let rows = try await database.write(Self.learn, device, new.map(\.name))
      if rows.isEmpty { throw DeviceAccess.notFound }
      if let learnt = try keep(rows, of: device) { return learnt }
      if pause == 0 { break }
      let loop = database.loop
      await loop.sleep(nanoseconds: UInt64.random(in: pause / 2...pause, using: &loop.generator))
    }
    throw Problem(.unavailable, "Another request is changing this device. Try again soon.")
  }

  /// Remembers the types that the database has of a device, and returns them; nil when the device is gone, or has none
  /// noted.
  private func keep(_ rows: Rows, of device: Identifier) throws -> [SensorType]? {
    guard let names = try rows.first?.decode([String]?.self, 0) ?? nil else { return nil }
    let types = names.compactMap { sensorTypes.type($0) }
    if known.count >= Self.maximumDevices { known.removeAll(keepingCapacity: true) }
    known[device] = types
    return types
  }

  private static let noted = Statement("devices.notedTypes", "SELECT measured_types FROM devices WHERE id = $1")

  /// The types that are not among `known`, each once, in the order in which they come.
  private static func types(of readings: [Reading], beyond known: [SensorType]) -> [SensorType] {
    var new: [SensorType] = []
    var last: SensorType?
    // Readings of one type often stand together.
    for reading in readings where reading.type !== last {
      last = reading.type
      if !known.contains(where: reading.type.equals), !new.contains(where: reading.type.equals) {
        new.append(reading.type)
      }
    }
    return new
  }

  /// Adds types while there is room. Returns NULL for a device that another transaction has locked.
  private static let learn = Statement(
    "devices.learnTypes",
    """
    WITH free AS (
      SELECT id FROM devices WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED
    ), learnt AS (
      UPDATE devices d SET measured_types = (
        SELECT k.types || ARRAY(
          SELECT type FROM unnest($2::text[]) WITH ORDINALITY AS new (type, place) WHERE type <> ALL (k.types)
          ORDER BY place LIMIT greatest(0, \(maximumTypes) - cardinality(k.types)))
        FROM (SELECT coalesce(d.measured_types, \(rolledUp(of: "$1")))) AS k (types))
      FROM free WHERE d.id = free.id RETURNING d.measured_types
    )
    SELECT (SELECT measured_types FROM learnt) FROM devices WHERE id = $1
    """)

  // MARK: SQL

  /// The sensor types that a device has readings of, a row for each, in SQL: those noted when they came.
  package static func rows(of device: String) -> String {
    """
    SELECT unnest(coalesce(noted.measured_types, \(rolledUp(of: device))))
    FROM devices AS noted WHERE noted.id = \(device)
    """
  }

  /// The types that a device had before types were noted, found by one look into the index for each.
  private static func rolledUp(of device: String) -> String {
    """
    ARRAY(
      WITH RECURSIVE found (type) AS (
        (SELECT sensor_type FROM readings_1h WHERE device_id = \(device) ORDER BY sensor_type LIMIT 1)
        UNION ALL
        SELECT (
          SELECT sensor_type FROM readings_1h WHERE device_id = \(device) AND sensor_type > found.type
          ORDER BY sensor_type LIMIT 1)
        FROM found WHERE found.type IS NOT NULL
      )
      SELECT type FROM found WHERE type IS NOT NULL LIMIT \(maximumTypes))
    """
  }
}
