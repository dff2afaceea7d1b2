import Reactor
import Testing
import Values

@Suite("A replica")
struct ReplicaTests {
  @Test("serves the history of readings, and the primary does while the replica is away")
  func history() throws {
    // The replica is another database with the same device: that it answers shows where the question went.
    let replica = try LiveServer()
    defer { replica.stop() }
    let primary = try LiveServer(["DATABASE_REPLICA_URL": replica.databaseURL])
    defer { primary.stop() }
    let away = try LiveServer([
      "DATABASE_URL": primary.databaseURL, "DATABASE_REPLICA_URL": "postgresql://nobody@127.0.0.1:1/none",
    ])
    defer { away.stop() }
    let (client, _) = try primary.signedIn()
    let garden = try #require(try client.post("/api/gardens", #"{"name":"Bed"}"#).json["id"]?.text)
    let created = try client.post("/api/gardens/\(garden)/devices", #"{"name":"Probe"}"#).json
    let device = try #require(created["id"]?.text)
    let path = "/api/devices/\(device)/readings"
    let body = #"{"readings":[{"sensorType":"ph","value":6.5,"measuredAt":"\#(Timestamp.recent)"}]}"#
    #expect(try client.post(path, body).status == 200)
    #expect(try client.get(path).json["items"]?.elements?.count == 0)
    #expect(try Client(away, token: client.token).get(path).json["items"]?.elements?.count == 1)
  }
}

extension Timestamp {
  /// A minute ago.
  fileprivate static var recent: Timestamp {
    Timestamp(unixMilliseconds: Clock.unixMilliseconds() - 60_000)
  }
}
