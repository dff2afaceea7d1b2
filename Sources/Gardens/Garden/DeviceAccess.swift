import Postgres
import Values
import Web

/// Who may do what with a device, and its readings: who may so with its garden. What is public shows no device.
package struct DeviceAccess {
  let context: LoopContext

  package init(context: LoopContext) { self.context = context }

  /// A device for who has a role in its garden; throws 404 for anyone else's, and 403 for a role that is not enough.
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
