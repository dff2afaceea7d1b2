import HTTP
import JSON
import Postgres
import Values
import Web

/// What a device can learn of itself by its key.
struct OwnDevice: EndpointGroup {
  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "getOwnDevice", method: .get, template: "/api/device", access: .device,
        summary: "The device that a key belongs to",
        details: "The device, its garden, and what each of its sensors measured last.", tag: "Devices",
        success: Endpoint.Success(200, Self.schema, headers: ["ETag"]), handler: .async(show))
    ]
  }

  private func show(_ call: Call) async throws -> Response {
    let identity = try call.device
    guard let row = try await context.database.query(Self.byID, identity.id).first else {
      throw Problem(.unauthorized, "The device no longer exists.")
    }
    var columns = row.columns
    let (device, garden) = (try Device(&columns, now: call.now), try columns.next(String.self))
    let newest = try await context.database.query(
      LatestReadings.newestOfDevice, identity.id, LatestReadings.maximumSeries
    ).map { try LatestReading($0) }
    return call.ok { json in
      device.write(&json)
      json.key("garden")
      json.object { json in
        json.member("id", identity.garden)
        json.member("name", garden)
      }
      json.key("latest")
      json.array { json in for reading in newest { json.object(reading.write) } }
    }
  }

  private static let byID = Statement(
    "devices.own",
    """
    SELECT \(Device.columns), gardens.name FROM devices JOIN gardens ON gardens.id = devices.garden_id
    WHERE devices.id = $1
    """)

  private static let schema = Schema.named(
    "OwnDevice",
    .object(
      Device.members + [
        .required("garden", .object([.required("id", .identifier), .required("name", .name)])),
        .required("latest", .array(LatestReading.schema)),
      ]),
    example: Device.example
      + #","garden":{"id":"019aa5c0-0000-7000-8000-000000000007","name":"South slope"},"latest":[]}"#)
}
