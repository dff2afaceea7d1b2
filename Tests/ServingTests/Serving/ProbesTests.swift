import JSON
import Testing

@Suite("Probes", .blocking)
struct ProbesTests {
  private func client() throws -> Client { Client(try LiveServer.shared.get()) }

  @Test("say that a running server is alive, started and ready", arguments: ["/livez", "/startupz", "/readyz"])
  func probes(path: String) throws {
    let reply = try client().get(path)
    #expect(reply.status == 200)
    // A store that answers late on a busy machine is reported as "degraded" meanwhile.
    #expect(try holds { try client().get(path).json["status"]?.text == "ok" })
    #expect(reply.header("x-request-id") != nil)
    #expect(reply.header("x-content-type-options") == "nosniff")
  }

  @Test("report every check by name, or as a list")
  func reports() throws {
    let names = ["database", "redis", "disk", "memory"]
    #expect(
      try holds {
        let report = try client().get("/health").json
        return report["status"]?.text == "healthy"
          && names.allSatisfy { report["checks"]?[$0]?["status"]?.text == "healthy" }
      })
    let report = try client().get("/health").json
    for name in names { #expect(report["checks"]?[name]?["latencyMs"]?.number ?? -1 >= 0) }
    let list = try client().get("/api/health").json
    #expect(list["checks"]?.elements?.compactMap { $0["name"]?.text } == names)
  }

  @Test("are ready without the checks that are excluded, one or several")
  func exclusion() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let client = Client(server)
    try server.losePostgres()
    #expect(try holds { try client.get("/readyz").status == 503 })
    // On a busy machine Redis may count as away for a moment.
    #expect(try holds { try client.get("/readyz?exclude=database&exclude=redis").json["status"]?.text == "ok" })
    #expect(try client.get("/readyz?exclude=database").status == 200)
    #expect(try client.get("/readyz?exclude=redis").status == 503)
    #expect(try client.get("/readyz?verbose&exclude=disk").json["checks"]?["disk"] == nil)
  }

  @Test("answer HEAD without a body, OPTIONS with what is allowed, and refuse other methods")
  func methods() throws {
    let head = try client().send("HEAD", "/livez")
    #expect(head.status == 200 && head.body.isEmpty && head.header("content-length") == "15")
    #expect(try client().send("OPTIONS", "/livez").header("allow") == "GET, HEAD, OPTIONS")
    let refused = try client().send("POST", "/livez", "{}")
    #expect(refused.status == 405 && refused.problem == "method-not-allowed")
    #expect(refused.header("allow") == "GET, HEAD, OPTIONS")
  }

  @Test("keep a client's request id only if it is valid")
  func requestIDs() throws {
    #expect(try client().get("/livez", headers: ["X-Request-Id: abc-1.2_3"]).header("x-request-id") == "abc-1.2_3")
    for bad in ["X-Request-Id: ", "X-Request-Id: a b", "X-Request-Id: \(String(repeating: "a", count: 65))"] {
      let id = try #require(try client().get("/livez", headers: [bad]).header("x-request-id"))
      #expect(id.count == 15)
    }
    let twice = try client().get("/livez", headers: ["X-Request-Id: a", "X-Request-Id: b"])
    #expect(twice.header("x-request-id")?.count == 15)
  }
}
