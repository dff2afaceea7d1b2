import Glibc
import JSON
import Testing

@Suite("The bounds of the server", .blocking)
struct ServerBoundsTests {
  @Test("for a body are those of HTTP_BODY_BYTES")
  func body() throws {
    let server = try LiveServer(["HTTP_BODY_BYTES": "2KiB", "WORKERS": "1"])
    defer { server.stop() }
    let client = Client(server)
    func status(_ bytes: Int) throws -> Int {
      try client.post("/api/sessions", #"{"email":"\#(String(repeating: "a", count: bytes))"}"#).status
    }
    #expect(try [1_024, 3 * 1_024].map(status) == [422, 413])
  }

  @Test("for file descriptors turn new connections away, which are counted, and open ones are served")
  func descriptors() throws {
    let server = try ServerProcess(["serve"], ["DATABASE_URL": TestDatabase.make(), "WORKERS": "1"])
    let client = Client(port: try server.port())
    func dropped() throws -> Int { try client.metric("connections_dropped_total") }
    #expect(try dropped() == 0)
    // Fewer than are open already; each listening socket has a descriptor in reserve.
    try shell("prlimit --pid \(server.process) --nofile=8:")
    let turnedAway = try Wire(port: client.port)
    #expect(try holds { try dropped() >= 1 })
    try shell("prlimit --pid \(server.process) --nofile=512:")
    #expect(try holds { try Client(port: client.port).get("/livez").status == 200 })
    withExtendedLifetime(turnedAway) {}
  }
}
