import Glibc
import JSON
import Reactor
import Testing
import Values

@testable import Web

/// Two replicas on one database, of which one has a machine whose clock is wrong.
@Suite("Replicas of which one has a wrong clock", .blocking)
struct ClockTests {
  /// The servers of one test, and a client of each, both signed in as the same user.
  private struct Pair {
    let wrong: ServerProcess
    let clients: (right: Client, wrong: Client)
    let refreshToken: String
    private let right: ServerProcess

    init(offsetSeconds: Int) throws {
      let settings = [
        "DATABASE_URL": try TestDatabase.make(), "REDIS_PREFIX": "test-\(Identifier.make(unixMilliseconds: 2)):",
        "WORKERS": "1", "EVENTS_HEARTBEAT_SECONDS": "1",
      ]
      right = try ServerProcess(["serve"], settings)
      wrong = try WrongClock.shared.get().server(offsetSeconds, settings)
      clients = (Client(port: try right.port()), Client(port: try wrong.port()))
      let credentials = #""email":"ada@example.org","password":"\#(LiveServer.password)""#
      #expect(try clients.wrong.post("/api/users", #"{"displayName":"A",\#(credentials)}"#).status == 201)
      let session = try clients.wrong.post("/api/sessions", "{\(credentials)}").json
      refreshToken = try #require(session["refreshToken"]?.text)
      clients.right.token = session["accessToken"]?.text
      clients.wrong.token = clients.right.token
    }
  }

  /// Whether a moment is within ten minutes of now.
  private static func isNow(_ moment: JSONValue?) throws -> Bool {
    let moment = try #require(moment?.text.flatMap { Timestamp($0) })
    return abs(moment.unixMilliseconds - Clock.unixMilliseconds()) < 600_000
  }

  @Test("agree on what is new, too old, still valid and already done", arguments: [3 * 3_600, -30 * 3_600])
  func agreement(offsetSeconds: Int) throws {
    let pair = try Pair(offsetSeconds: offsetSeconds)
    let (right, wrong) = pair.clients
    _ = try pair.wrong.line("This machine's clock was found apart")

    // Tokens and sessions.
    for client in [right, wrong] { #expect(try client.get("/api/users/me").status == 200) }
    #expect(try Self.isNow(wrong.get("/api/users/me").json["createdAt"]))
    let renewed = try right.post("/api/sessions/refresh", #"{"refreshToken":"\#(pair.refreshToken)"}"#).json
    let token = try #require(renewed["refreshToken"]?.text)
    let again = try wrong.post("/api/sessions/refresh", #"{"refreshToken":"\#(token)"}"#)
    #expect(again.status == 200)
    for client in [right, wrong] { client.token = try again.json["accessToken"]?.text }
    #expect(try right.get("/api/sessions").json["items"]?.elements?.count == 1)

    // Idempotency keys, and ids, which order lists.
    let key = ["Idempotency-Key: once"]
    let garden = try wrong.post("/api/gardens", #"{"name":"Bed"}"#, headers: key).json["id"]?.text ?? ""
    #expect(try right.post("/api/gardens", #"{"name":"Bed"}"#, headers: key).json["id"]?.text == garden)
    let made = try #require(Identifier(garden)).high >> 16
    #expect(abs(Int64(made) - Clock.unixMilliseconds()) < 600_000)

    // Readings.
    let device = try right.makeDevice(in: garden)
    let path = "/api/devices/\(device.id)/readings"
    let now = Clock.unixMilliseconds()
    for (index, client) in [wrong, right].enumerated() {
      let probe = Client(port: client.port, token: device.key)
      let recent = Sample(value: Double(10 + index), at: Timestamp(unixMilliseconds: now - 1_000 + Int64(index)))
      let future = Sample(value: 1, at: Timestamp(unixMilliseconds: now + 3_600_000))
      #expect(try probe.post(path, Sample.document([recent])).receipt == [1, 0])
      #expect(try probe.post(path, Sample.document([future, recent])).rejected == ["0 in-the-future"])
    }
    for client in [right, wrong] {
      let latest = try client.get("/api/gardens/\(garden)/latest").json["items"]?.elements ?? []
      #expect(latest.map { $0["value"]?.number } == [11])
      #expect(try client.get(path).json["items"]?.elements?.count == 2)
      #expect(
        try holds(within: 60) {
          let hours = try client.get("\(path)?resolution=1h").json["items"]?.elements ?? []
          return hours.reduce(0) { $0 + ($1["count"]?.integer ?? 0) } == 2
        })
      #expect(
        try holds(within: 60) {
          let seen = try client.get("/api/devices/\(device.id)").json
          guard seen["online"]?.bool == true else { return false }
          return try Self.isNow(seen["lastSeenAt"])
        })
      let insight = try client.post("/api/gardens/\(garden)/insights", #"{"type":"summary"}"#)
      #expect(insight.status == 201)
      #expect(try Self.isNow(insight.json["createdAt"]))
    }
  }

  @Test("keep an event stream for as long as its token is good by the clock that they agree on")
  func streams() throws {
    let pair = try Pair(offsetSeconds: 3 * 3_600)
    let (right, wrong) = pair.clients
    _ = try pair.wrong.line("This machine's clock was found apart")
    let garden = try right.post("/api/gardens", #"{"name":"Bed"}"#).json["id"]?.text ?? ""
    let end = Timestamp(unixMilliseconds: Clock.unixMilliseconds() + 3_600_000)
    let made = try right.post("/api/tokens", #"{"name":"Wall","scopes":["read"],"expiresAt":"\#(end)"}"#)
    let stream = try EventStream(on: Wire(port: wrong.port), garden, token: made.json["token"]?.text)
    #expect(stream.status == 200)
    // The server checks the watchers at each heartbeat.
    var heartbeats = 0
    while heartbeats < 3, let part = try stream.nextPart() { if part == EventStream.Event() { heartbeats += 1 } }
    #expect(heartbeats == 3)
    #expect(try Self.isNow(right.get("/api/tokens").json["items"]?.elements?.first?["lastUsedAt"]))
  }

  @Test("follow the database's clock once they are clearly apart, and their own when they are near")
  func learning() {
    let clock = AgreedClock()
    func learn(_ offset: Int64, asking: Int64 = 0) -> Bool {
      clock.learn(
        database: Timestamp(unixMilliseconds: 10_000_000 + offset), between: 10_000_000 - asking,
        and: 10_000_000 + asking)
    }
    #expect(!learn(900) && clock.correctionMilliseconds == 0)
    // As much may have passed while the database was asked.
    #expect(!learn(1_900, asking: 1_000) && clock.correctionMilliseconds == 0)
    #expect(learn(-7_200_000) && clock.moment(10_000_000).unixMilliseconds == 2_800_000)
    #expect(!learn(-7_200_300) && clock.correctionMilliseconds == -7_200_000)
    #expect(learn(200) && clock.correctionMilliseconds == 0)
  }
}

/// A library that sets the clock of a process wrong, built once.
struct WrongClock {
  static let shared = Result { try WrongClock() }
  private let library: String

  init() throws {
    library = "/tmp/terroir-clock-\(Identifier.make(unixMilliseconds: Clock.unixMilliseconds())).so"
    try shell("clang -Wall -Wextra -Werror -shared -fPIC -O2 -o '\(library)' '\(Repository.root)Tests/Clock/clock.c'")
  }

  func server(_ offsetSeconds: Int, _ settings: [String: String]) throws -> ServerProcess {
    try process(offsetSeconds, ["serve"], settings)
  }

  func process(_ offsetSeconds: Int, _ arguments: [String], _ settings: [String: String]) throws -> ServerProcess {
    // A sanitizer may have a library preloaded, too.
    let preloaded = [getenv("LD_PRELOAD").map { String(cString: $0) }, library].compactMap { $0 }
    let clock = ["LD_PRELOAD": preloaded.joined(separator: ":"), "CLOCK_OFFSET_SECONDS": "\(offsetSeconds)"]
    return try ServerProcess(arguments, settings.merging(clock) { $1 })
  }
}
