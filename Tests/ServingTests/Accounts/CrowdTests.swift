import Reactor
import Secrets
import Synchronization
import Testing
import Values

@Suite("A crowd", .blocking)
struct CrowdTests {
  @Test("that registers does not keep a member from signing in")
  func crowd() throws {
    let server = try LiveServer(
      ["PASSWORD_HASHING_PARALLELISM": "1", "PASSWORD_HASHING_QUEUE": "64"], passwordCost: .standard)
    defer { server.stop() }
    let (member, id) = try server.signedIn()
    let counts = Mutex((registered: 0, refused: 0, isOver: false))
    let threads = try (0..<40).map { index in
      try SystemThread(name: "newcomer") {
        let client = Client(server)
        var round = 0
        while !counts.withLock({ $0.isOver }) {
          round += 1
          let status = try? client.post(
            "/api/users",
            #"{"email":"\#(index)-\#(round)@example.org","password":"\#(LiveServer.password)","displayName":"N"}"#
          ).status
          counts.withLock {
            if status == 201 { $0.registered += 1 } else if status == 503 { $0.refused += 1 }
          }
        }
      }
    }
    // Once some are refused, all places for newcomers are taken.
    #expect(holds(within: 120) { counts.withLock { $0.refused > 0 } })
    let before = counts.withLock { $0.registered }
    let reply = try member.post(
      "/api/sessions", #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#)
    let meanwhile = counts.withLock { $0.registered } - before
    counts.withLock { $0.isOver = true }
    for thread in threads { thread.join() }
    #expect(reply.status == 201)
    // One hash was in flight, one newcomer had a turn first, and the answers of a few before may have been on their
    // way; sixteen wait.
    #expect(meanwhile < 16)
  }

  @Test("of members of one network does not keep those of another from signing in")
  func network() throws {
    let server = try LiveServer(
      ["PASSWORD_HASHING_PARALLELISM": "1", "PASSWORD_HASHING_QUEUE": "16", "TRUSTED_PROXIES": "127.0.0.1"],
      passwordCost: .standard)
    defer { server.stop() }
    let (members, member) = (try (0..<4).map { _ in try server.signedIn().id }, try server.signedIn().id)
    @Sendable func signIn(_ client: Client, _ id: Identifier, from address: String) throws -> Reply {
      try client.post(
        "/api/sessions", #"{"email":"\#(id)@example.org","password":"\#(LiveServer.password)"}"#,
        headers: ["X-Forwarded-For: \(address)"])
    }
    let counts = Mutex((refused: 0, isOver: false))
    // More clients than there are places, and fewer for each account than would count as too many failures.
    let threads = try (0..<32).map { index in
      try SystemThread(name: "member") {
        let client = Client(server)
        while !counts.withLock({ $0.isOver }) {
          let status = try? signIn(client, members[index % 4], from: "198.51.100.7").status
          counts.withLock { $0.refused += status == 503 ? 1 : 0 }
        }
      }
    }
    #expect(holds(within: 120) { counts.withLock { $0.refused > 0 } })
    let replies = try (0..<3).map { _ in try signIn(Client(server), member, from: "203.0.113.7") }
    counts.withLock { $0.isOver = true }
    for thread in threads { thread.join() }
    #expect(replies.map(\.status) == [201, 201, 201])
  }
}
