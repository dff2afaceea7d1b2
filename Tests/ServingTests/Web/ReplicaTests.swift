import Reactor
import Testing
import Values

@Suite("A replica", .blocking)
struct ReplicaTests {
  @Test("serves the history of readings except what was just stored, and the primary does while it is away")
  func history() throws {
    // The replica is another database of the same server: it has all of the log, and none of the readings, which shows
    // where a query went.
    let replica = try LiveServer()
    defer { replica.stop() }
    let primary = try LiveServer(["DATABASE_REPLICA_URL": replica.databaseURL])
    defer { primary.stop() }
    let away = try primary.replica(["DATABASE_REPLICA_URL": "postgresql://nobody@127.0.0.1:1/none"])
    defer { away.stop() }
    let (client, owner) = try primary.signedIn()
    let plot = try Plot(primary, owner: owner)
    try plot.record("soil_moisture", [(hoursAgo: 1, value: 30)])
    let path = "/api/devices/\(plot.device)/readings"
    func count(_ client: Client) throws -> Int? { try client.get(path).json["items"]?.elements?.count }

    #expect(try holds(within: 20) { try count(client) == 0 })
    #expect(try count(Client(away, token: client.token)) == 1)
    let key = try #require(try client.post("/api/devices/\(plot.device)/key", "").json["key"]?.text)
    let body = #"{"readings":[{"sensorType":"soil_moisture","value":31,"measuredAt":"\#(Timestamp.recent)"}]}"#
    #expect(try Client(away, token: key).post(path, body).status == 200)
    // For every connection, on either loop.
    for reader in primary.clients(6, token: client.token) { #expect(try count(reader) == 2) }
    #expect(try holds(within: 20) { try count(client) == 0 })
    // Below a second, except for moments in which a busy machine measures late.
    #expect(try holds { try Client(primary).get("/metrics").text.contains("\ndatabase_replica_lag_seconds 0.") })
  }
}

extension Timestamp {
  /// A minute ago.
  fileprivate static var recent: Timestamp {
    Timestamp(unixMilliseconds: Clock.unixMilliseconds() - 60_000)
  }
}
