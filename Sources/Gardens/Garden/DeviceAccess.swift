import Postgres
import Values
import Web

/// Access to a device and its readings, by the user's role in its garden. A public garden shows strangers no device.
package struct DeviceAccess {
  let context: LoopContext

  package init(context: LoopContext) { self.context = context }

  /// Returns a device for a user who has `role` in its garden. Throws 404 without any role there, and 403 with a lesser
  /// one.
  package func device(
    _ id: Identifier, for user: UserIdentity, as role: GardenRole
  ) async throws -> DeviceIdentity {
    guard let row = try await context.database.query(Self.shared, id, user.id).first else { throw Self.notFound }
    var columns = row.columns
    let device = DeviceIdentity(id: id, garden: try columns.next(), sensorTypes: try columns.next([String].self))
    try role.require(&columns)
    return device
  }

  package static var notFound: Problem { Problem(.notFound, "There is no device with this id.") }

  private static let shared = Statement(
    "devices.shared",
    """
    SELECT gardens.id, devices.sensor_types, \(GardenRole.column(of: "$2"))
    FROM devices JOIN gardens ON gardens.id = devices.garden_id
    WHERE devices.id = $1 AND \(GardenRole.viewer.isHeld(by: "$2"))
    """)
}
