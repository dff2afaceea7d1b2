import Agronomy
import JSON
import Postgres
import Testing

@testable import Gardens

@Suite("What gardens and devices say of their ground", .blocking)
struct GroundTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("is kept, changed member by member, and carried by an export")
  func members() throws {
    let client = try server.signedIn().client
    let garden = try client.makeGarden(
      #"{"name":"A","timeZone":"Europe/Paris","soil":"sand","dryBelow":9.5,"wetAbove":30}"#)
    let device = try client.makeDevice(in: garden, #"{"name":"P","soil":"clay-loam","timeZone":"Asia/Tokyo"}"#).id
    let changed = try client.patch("/api/gardens/\(garden)", #"{"timeZone":null,"dryBelow":null,"wetAbove":33}"#).json
    #expect(changed["timeZone"]?.text == "UTC" && changed["soil"]?.text == "sand")
    #expect(changed["dryBelow"] == .null && changed["wetAbove"]?.number == 33)
    let probe = try client.patch("/api/devices/\(device)", #"{"dryBelow":21}"#).json
    #expect(probe["timeZone"]?.text == "Asia/Tokyo")
    #expect(probe["soil"]?.text == "clay-loam" && probe["dryBelow"]?.number == 21 && probe["wetAbove"] == .null)
    _ = try client.patch("/api/gardens/\(garden)", #"{"timeZone":"America/Argentina/Ushuaia"}"#)

    let other = try server.signedIn().client
    // With the names of zones spelt as an earlier release may have kept them.
    let file = try client.get("/api/users/me/export").text.replacing("Asia/Tokyo", with: "asia/TOKYO")
      .replacing("America/Argentina/Ushuaia", with: "america/ARGENTINA/ushuaia")
    let headers = ["Content-Type: application/x-ndjson"]
    #expect(try other.post("/api/users/me/import", file, headers: headers).status == 200)
    let copy = try #require(try other.get("/api/gardens?owner=me").json["items"]?.elements?.first)
    #expect(copy["timeZone"]?.text == "America/Argentina/Ushuaia" && copy["wetAbove"]?.number == 33)
    let copied = try other.get("/api/gardens/\(copy["id"]?.text ?? "")/devices").json["items"]?.elements?.first
    #expect(copied?["soil"]?.text == "clay-loam" && copied?["dryBelow"]?.number == 21)
    #expect(copied?["timeZone"]?.text == "Asia/Tokyo")
    #expect(try client.patch("/api/devices/\(device)", #"{"timeZone":null}"#).json["timeZone"] == .null)
  }

  @Test(
    "is refused where it makes no sense",
    arguments: [
      (#"{"name":"A","timeZone":"Europe/Atlantis"}"#, "/timeZone"), (#"{"name":"A","timeZone":"EST"}"#, "/timeZone"),
      (#"{"name":"A","timeZone":"CET-1"}"#, "/timeZone"), (#"{"name":"A","timeZone":"../etc"}"#, "/timeZone"),
      (#"{"name":"A","timeZone":"US/Foo+3"}"#, "/timeZone"), (#"{"name":"A","timeZone":"quux/3"}"#, "/timeZone"),
      (#"{"name":"A","timeZone":"Etc/UTC+3"}"#, "/timeZone"), (#"{"name":"A","timeZone":"Etc/GMT+3EDT"}"#, "/timeZone"),
      (#"{"name":"A","timeZone":"Etc/GMT+13"}"#, "/timeZone"), (#"{"name":"A","timeZone":"EST/5"}"#, "/timeZone"),
      (#"{"name":"A","timeZone":"posix/Europe/Paris"}"#, "/timeZone"),
      (#"{"name":"A","soil":"peat"}"#, "/soil"), (#"{"name":"A","dryBelow":101}"#, "/dryBelow"),
      (#"{"name":"A","dryBelow":30,"wetAbove":30}"#, "/wetAbove"),
    ])
  func faults(json: String, pointer: String) throws {
    let reply = try server.signedIn().client.post("/api/gardens", json)
    #expect(reply.status == 422 && reply.pointers == [pointer])
  }

  @Test("is refused at the limit that a change sends, if it puts the two in the wrong order")
  func disorder() throws {
    let client = try server.signedIn().client
    let limits = #"{"name":"A","dryBelow":20,"wetAbove":40}"#
    let garden = try client.makeGarden(limits)
    for path in ["/api/gardens/\(garden)", "/api/devices/\(try client.makeDevice(in: garden, limits).id)"] {
      for (json, pointer) in [
        (#"{"dryBelow":41}"#, "/dryBelow"), (#"{"wetAbove":19}"#, "/wetAbove"),
        (#"{"dryBelow":31,"wetAbove":30}"#, "/wetAbove"),
      ] {
        let reply = try client.patch(path, json)
        #expect(reply.status == 422 && reply.pointers == [pointer], "\(path) \(json)")
      }
      #expect(try client.patch(path, #"{"dryBelow":41,"wetAbove":null}"#).status == 200)
    }
  }

  @Test(
    "names a time zone in its canonical spelling, in whatever case it is given",
    arguments: [
      ("europe/PARIS", "Europe/Paris"), ("America/New_york", "America/New_York"), ("Etc/GMT-3", "Etc/GMT-3"),
      ("america/port-AU-prince", "America/Port-au-Prince"), ("etc/gmt+12", "Etc/GMT+12"),
      ("America/North_Dakota/New_Salem", "America/North_Dakota/New_Salem"),
    ])
  func spelling(given: String, name: String) throws {
    let client = try server.signedIn().client
    let made = #"{"name":"A","timeZone":"\#(given)"}"#
    let garden = try client.makeGarden(made)
    #expect(try client.get("/api/gardens/\(garden)").json["timeZone"]?.text == name)
    let device = try client.makeDevice(in: garden, made).id
    for path in ["/api/gardens/\(garden)", "/api/devices/\(device)"] {
      _ = try client.patch(path, #"{"timeZone":null}"#)
      #expect(try client.patch(path, #"{"timeZone":"\#(given)"}"#).json["timeZone"]?.text == name)
    }
  }

  @Test("cannot name an unknown time zone for a device, in a new one, a change or an import")
  func unknownZone() throws {
    let client = try server.signedIn().client
    let garden = try client.makeGarden()
    let device = try client.makeDevice(in: garden).id
    let zone = #"{"name":"P","timeZone":"Europe/Atlantis"}"#
    for reply in [
      try client.post("/api/gardens/\(garden)/devices", zone), try client.patch("/api/devices/\(device)", zone),
    ] {
      #expect(reply.status == 422 && reply.pointers == ["/timeZone"])
    }
    _ = try client.patch("/api/devices/\(device)", #"{"timeZone":"Asia/Tokyo"}"#)
    let file = try client.get("/api/users/me/export").text.replacing("Asia/Tokyo", with: "Asia/Shangri-La")
    let copy = try server.signedIn().client.post(
      "/api/users/me/import", file, headers: ["Content-Type: application/x-ndjson"])
    #expect(copy.status == 422 && copy.pointers == ["/timeZone"])
  }

  @Test("hinders no other change, and no new owner, if its time zone is one that Postgres no longer knows")
  func lostZone() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let client = try server.signedIn().client
    let (kept, given) = (try client.makeGarden(), try client.makeGarden())
    let device = try client.makeDevice(in: kept).id
    let heir = try client.share(given, as: .viewer, with: server.signedIn().client)
    try server.withDatabase { database in
      try await database.execute("ALTER TABLE gardens DROP CONSTRAINT gardens_time_zone_known")
      try await database.execute("UPDATE gardens SET time_zone = 'Europe/Atlantis'")
      try await database.execute("UPDATE devices SET time_zone = 'Europe/Atlantis'")
      try await database.execute(
        "ALTER TABLE gardens ADD CONSTRAINT gardens_time_zone_known CHECK (is_time_zone(time_zone)) NOT VALID")
    }
    let changed = try client.patch("/api/gardens/\(kept)", #"{"name":"Bed"}"#)
    #expect(changed.status == 200, "\(changed.text)")
    #expect(try changed.json["timeZone"]?.text == "UTC")
    #expect(try client.patch("/api/devices/\(device)", #"{"name":"Bed"}"#).status == 200)
    let members = "/api/gardens/\(given)/members"
    let member = try #require(try client.get(members).json["items"]?.elements?.first?["id"]?.text)
    let handedOver = try client.patch("\(members)/\(member)", #"{"role":"owner"}"#)
    #expect(handedOver.status == 200, "\(handedOver.text)")
    #expect(try heir.get("/api/gardens/\(given)").json["timeZone"]?.text == "UTC")
  }

  @Test("of a device takes precedence over its garden's, and limits over those of the soil")
  func order() {
    let garden = Ground(soil: .clay, dryBelow: 31)
    #expect(Ground().limits() == MoistureLimits(.loam))
    #expect(Ground().limits(in: garden).dryBelow == 31)
    #expect(Ground().limits(in: garden).wetAbove == MoistureLimits(.clay).wetAbove)
    #expect(Ground(soil: .sand).limits(in: garden).dryBelow == 31)
    #expect(Ground(soil: .sand, dryBelow: 5).limits(in: garden).dryBelow == 5)
    #expect(Ground(soil: .sand).limits(in: garden).wetAbove == MoistureLimits(.sand).wetAbove)
    #expect(Ground(soil: .sandyLoam).limits().dryBelow == 17)
  }
}
