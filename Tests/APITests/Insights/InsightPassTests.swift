import Testing

@testable import API

@Suite("The pass over gardens")
struct InsightPassTests {
  @Test("warns of what is new, once, whichever replica looks")
  func once() throws {
    let server = try LiveServer(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { server.stop() }
    let replica = try server.replica(["INSIGHTS_INTERVAL_SECONDS": "1"])
    defer { replica.stop() }
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    let path = "/api/gardens/\(plot.garden)/insights"
    try plot.record("soil_moisture", [(0, 12), (1, 12)])
    try plot.record("air_temperature", [(0, 15), (0.5, 15), (1, 15)])
    #expect(try holds(within: 60) { try client.get(path).json["items"]?.elements?.isEmpty == false })
    // Some more passes say nothing new, and that there will be no frost is none.
    #expect(try holds(within: 60) { try server.passes() >= 4 })
    let items = try client.get(path).json["items"]?.elements
    #expect(items?.map { $0["title"]?.text } == ["Water now: North bed"])
    #expect(items?.first?["provider"]?.text == "rules")
  }
}

extension LiveServer {
  /// How often the pass has run on this server.
  fileprivate func passes() throws -> Int {
    let text = try Wire(port: port).get("/metrics").text
    let line = text.split(separator: "\n").first {
      $0.contains("duty=\"insights\"") && $0.contains("result=\"done\"") && !$0.hasPrefix("#")
    }
    return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
  }
}
