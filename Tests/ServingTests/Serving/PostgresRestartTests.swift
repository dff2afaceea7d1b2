import Postgres
import Reactor
import Synchronization
import Testing

@Suite("When Postgres restarts under load", .blocking)
struct PostgresRestartTests {
  @Test("readiness fails until every loop has it again, and requests get a Retry-After or an unknown outcome")
  func restarts() throws {
    let postgres = try Postgres()
    let server = try LiveServer(["DATABASE_URL": try TestDatabase.make(on: postgres.url)])
    defer { server.stop() }
    let (client, _) = try server.signedIn()
    let garden = try client.makeGarden()
    let visitors = try Visitors(server, token: client.token)
    let probe = Client(server)
    for _ in 0..<3 {
      try postgres.stop()
      #expect(try holds(within: 30) { try probe.get("/readyz").status == 503 })
      // The process itself is well, and the start was over long ago.
      for path in ["/livez", "/startupz"] { #expect(try probe.get(path).status == 200) }
      try postgres.start()
      #expect(try holds(within: 60) { try probe.get("/readyz").status == 200 })
      let statuses = try (0..<12).map { _ in
        try Client(server, token: client.token).get("/api/gardens/\(garden)").status
      }
      #expect(statuses == Array(repeating: 200, count: 12))
    }
    visitors.leave()
    let outcome = visitors.outcome
    #expect(outcome.strange == [])
    #expect(outcome.made > 0 && outcome.refused > 0)
    #expect(outcome.slowestNanoseconds < 10_000_000_000)
    let stored = try server.withDatabase {
      try await $0.query("SELECT count(*) FROM gardens WHERE name = 'Visitor'")[0].decode(Int.self, 0)
    }
    #expect((outcome.made...outcome.made + outcome.unknown).contains(stored), "\(stored): \(outcome)")
  }

  /// The Postgres that tests may stop.
  private struct Postgres {
    let url: String
    private let script: String

    init() throws {
      url = try TestStores.variable("TERROIR_FAULT_DATABASE_URL")
      script = try TestStores.variable("TERROIR_STORES")
    }

    func stop() throws { try shell("'\(script)' -i fault stop") }
    func start() throws { try shell("'\(script)' -i fault start") }
  }
}

/// Clients that send one request after the other until they leave: one reads what is cached, the others make gardens.
private final class Visitors: Sendable {
  struct Outcome {
    var made = 0
    var refused = 0
    /// Gardens whose making was answered with an unknown outcome.
    var unknown = 0
    var slowestNanoseconds: UInt64 = 0
    /// Errors, and answers that should not have been given.
    var strange: [String] = []
  }

  private let state = Mutex((outcome: Outcome(), isOver: false))
  private let threads = Mutex<[SystemThread]>([])

  init(_ server: LiveServer, token: String?) throws {
    for visitor in 0..<4 {
      let thread = try SystemThread(name: "visitor") { [self] in
        let client = Client(server, token: token)
        while !state.withLock({ $0.isOver }) { visit(client, isReader: visitor == 0) }
      }
      threads.withLock { $0.append(thread) }
    }
  }

  private func visit(_ client: Client, isReader: Bool) {
    let start = Clock.monotonic()
    let reply = Result {
      isReader ? try client.get("/api/businesses") : try client.post("/api/gardens", #"{"name":"Visitor"}"#)
    }
    let took = Clock.monotonic() - start
    state.withLock { state in
      state.outcome.slowestNanoseconds = max(state.outcome.slowestNanoseconds, took)
      switch reply {
      case .failure(let error): state.outcome.strange.append("\(error)")
      case .success(let reply):
        switch (reply.status, reply.problem, reply.header("retry-after") != nil) {
        case (200, _, _): break
        case (201, _, _): state.outcome.made += 1
        case (503, "outcome-unknown", false) where !isReader: state.outcome.unknown += 1
        case (503, "service-unavailable", true): state.outcome.refused += 1
        default: state.outcome.strange.append("\(reply.status) \(reply.text)")
        }
      }
    }
  }

  func leave() {
    state.withLock { $0.isOver = true }
    for thread in threads.withLock({ $0 }) { thread.join() }
  }

  var outcome: Outcome { state.withLock { $0.outcome } }
}
