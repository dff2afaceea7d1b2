import JSON
import Reactor
import Testing
import Values

@testable import Gardens
@testable import Settings

@Suite("The history of a device")
struct HistoryTests {
  private let device: TestDevice

  init() throws { device = try TestDevice(LiveServer.shared.get()) }

  private func send(_ lines: [String], _ query: String = "", by client: Client? = nil) throws -> Reply {
    let body = (["sensorType,value,measuredAt"] + lines).joined(separator: "\r\n") + "\r\n"
    return try (client ?? device.owner).send(
      "POST", "/api/devices/\(device.id)/history\(query)", body, type: "text/csv")
  }

  private func created(_ reply: Reply) throws -> Int64? { try reply.json["created"]?["reading"]?.integer }
  private func skipped(_ reply: Reply) throws -> Int64? { try reply.json["skipped"]?["reading"]?.integer }

  @Test("is taken in whatever its age, and skipped when it is there already")
  func ages() throws {
    let now = Clock.unixMilliseconds()
    let lines = [
      "soil_moisture,30.5,\(Timestamp(unixMilliseconds: now - 60_000))", "soil_moisture,31,\(now / 1_000 - 3_600)",
      "\"ph\", 6.5 ,\(now - 40 * 86_400_000)", "ph,7,2019-05-01T10:15:00+02:00", "ph,8,2019-05-01T08:45:00Z",
    ]
    let trial = try send(lines, "?dryRun=true")
    #expect(trial.status == 200)
    #expect(try created(trial) == 5)
    #expect(try device.stored().count == 0)
    let taken = try send(lines)
    #expect(taken.status == 200, "\(taken.text)")
    #expect(try created(taken) == 5)
    let again = try send(lines)
    #expect(try created(again) == nil)
    #expect(try skipped(again) == 5)
    let hours = try device.owner.get(
      device.path + "?resolution=1h&from=2019-05-01T00:00:00Z&to=2019-05-02T00:00:00Z"
    ).json["items"]?.elements
    #expect(hours?.count == 1)
    #expect(hours?.first?["count"]?.integer == 2)
    #expect(hours?.first?["mean"]?.number == 7.5)
  }

  @Test("is refused whole for one faulty line, and all of them are told")
  func faults() throws {
    let late = Timestamp(unixMilliseconds: Clock.unixMilliseconds() + 600_000)
    let reply = try send([
      "ph,7,2026-01-01T00:00:00Z", "ph,15,2026-01-01T00:00:01Z", "PH,7,2026-01-01T00:00:02Z", "ph,7",
      "ph,x,2026-01-01T00:00:03Z", "ph,7,\(late)", "ph,7,yesterday",
    ])
    #expect(reply.status == 422)
    let faults = try (reply.json["errors"]?.elements ?? []).map {
      "\($0["line"]?.integer ?? 0)\($0["pointer"]?.text ?? "")"
    }
    #expect(faults == ["3/value", "4/sensorType", "5", "6/value", "7/measuredAt", "8/measuredAt"])
    #expect(try device.stored().count == 0)
    let head = try device.owner.send(
      "POST", "/api/devices/\(device.id)/history", "type,value,time\nph,7,1\n", type: "text/csv")
    #expect(head.status == 422)
  }

  @Test("is for who edits the garden, of types that the device declares")
  func access() throws {
    let (server, line) = (device.server, ["ph,7,2026-01-01T00:00:00Z"])
    let viewer = try device.owner.share("\(device.garden)", as: .viewer, with: try server.signedIn().client)
    #expect(try send(line, by: viewer).status == 403)
    #expect(try send(line, by: try server.signedIn().client).status == 404)
    #expect(try device.owner.patch("/api/devices/\(device.id)", #"{"sensorTypes":["ec"]}"#).status == 200)
    #expect(try send(line).status == 422)
  }
}
