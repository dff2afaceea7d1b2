import Postgres
import Testing
import Values

@testable import Agronomy
@testable import Insights

@Suite("The clock of a garden", .blocking)
struct GardenClockTests {
  /// A garden with the time zone `zone` and no location, as it is read at the moment `now`.
  private static func garden(_ zone: String, at now: String) throws -> ObservedGarden {
    let server = try LiveServer.shared.get()
    let plot = try Plot(server, owner: try server.signedIn().id)
    let (garden, moment) = (plot.garden, try #require(Timestamp(now)))
    return try server.withDatabase { database in
      try await database.execute(
        "UPDATE gardens SET time_zone = \(zone), longitude = NULL, latitude = NULL WHERE id = \(garden)")
      var columns = try await database.query(read, garden, moment)[0].columns
      return try ObservedGarden(&columns)
    }
  }

  private static let read = Statement(
    "test.garden", "SELECT \(ObservedGarden.columns(at: "$2")) FROM gardens WHERE id = $1")

  @Test(
    "shows each time by the offset of that moment, also across a change of clocks",
    arguments: [
      ("Europe/Paris", "2026-10-24T12:00:00Z", "2026-10-24T12:00:00Z", "2026-10-24 14:00"),
      ("Europe/Paris", "2026-10-24T12:00:00Z", "2026-10-25T00:59:00Z", "2026-10-25 02:59"),
      ("Europe/Paris", "2026-10-24T12:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25 02:00"),
      ("Europe/Paris", "2026-10-24T12:00:00Z", "2026-10-26T09:00:00Z", "2026-10-26 10:00"),
      ("Europe/Paris", "2026-11-01T12:00:00Z", "2026-10-20T10:00:00Z", "2026-10-20 12:00"),
      ("Europe/Paris", "2026-11-01T12:00:00Z", "2026-11-01T10:00:00Z", "2026-11-01 11:00"),
      ("Europe/Paris", "2026-08-01T12:00:00Z", "2026-07-20T10:00:00Z", "2026-07-20 12:00"),
      ("Australia/Lord_Howe", "2026-10-03T00:17:00Z", "2026-10-03T15:29:00Z", "2026-10-04 01:59"),
      ("Australia/Lord_Howe", "2026-10-03T00:17:00Z", "2026-10-03T15:30:00Z", "2026-10-04 02:30"),
    ])
  func changes(zone: String, now: String, moment: String, text: String) throws {
    let garden = try Self.garden(zone, at: now)
    #expect(garden.clock.text(try #require(Timestamp(moment))) == "\(text) (\(zone))")
  }

  @Test(
    "estimates the longitude of a garden without a location by its zone's standard time",
    arguments: [
      ("America/Los_Angeles", "2026-07-01T12:00:00Z", -120), ("America/Los_Angeles", "2026-12-01T12:00:00Z", -120),
      ("Australia/Sydney", "2026-12-01T12:00:00Z", 150), ("Asia/Kolkata", "2026-07-01T12:00:00Z", 82.5),
      ("Europe/Dublin", "2026-07-01T12:00:00Z", 0), ("UTC", "2026-07-01T12:00:00Z", 0),
    ])
  func meridian(zone: String, now: String, longitude: Double) throws {
    #expect(try Self.garden(zone, at: now).longitude == longitude)
  }
}
