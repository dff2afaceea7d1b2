import Postgres
import Reactor
import Values

@testable import Gardens
@testable import Insights
@testable import Secrets

/// A garden with one device, written straight to the database, for tests of what builds on gardens.
struct Plot {
  let server: LiveServer
  let garden: Identifier
  let device: Identifier

  init(_ server: LiveServer, owner: Identifier, isPublic: Bool = false, device name: String = "North bed") throws {
    self.server = server
    let now = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
    let (garden, device) = (
      Identifier.make(unixMilliseconds: now.unixMilliseconds), Identifier.make(unixMilliseconds: now.unixMilliseconds)
    )
    self.garden = garden
    self.device = device
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO gardens (id, owner_id, name, latitude, longitude, area_square_metres, public, created_at, updated_at)
        VALUES (\(garden), \(owner), 'Kitchen garden', 48.2, 0.0, 120.5, \(isPublic), \(now), \(now))
        """)
      try await database.execute(
        """
        INSERT INTO devices (id, garden_id, name, sensor_types, key_hash, last_seen_at, created_at, updated_at)
        VALUES (\(device), \(garden), \(name), '{soil_moisture}',
          \(OpaqueKey.make(.deviceKey).digest), \(now), \(now), \(now))
        """)
    }
  }

  /// Writes readings of one sensor of the device, which counts as heard of now.
  func record(_ sensorType: String, _ readings: [(hoursAgo: Double, value: Double)]) throws {
    let now = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
    let times = readings.map { now.advanced(byHours: -$0.hoursAgo) }
    let values = readings.map(\.value)
    let device = device
    try server.withDatabase { database in
      for (table, isKept) in [("readings", ">="), ("readings_late", "<")] {
        try await database.execute(
          """
          INSERT INTO \(unescaped: table) (device_id, sensor_type, measured_at, value)
          SELECT \(device), \(sensorType), * FROM unnest(\(times), \(values)) AS r (at, value)
          WHERE at \(unescaped: isKept) \(OpenDays.start(at: now))
          """)
      }
      try await database.execute(
        """
        UPDATE devices SET last_seen_at = \(now),
          measured_types = array_append(array_remove(coalesce(measured_types, '{}'), \(sensorType)), \(sensorType))
        WHERE id = \(device)
        """)
    }
  }
}
