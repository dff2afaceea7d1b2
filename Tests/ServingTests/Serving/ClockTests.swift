import Glibc
import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Web

/// Two replicas on one database; the clock of one's machine is wrong.
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
    _ = try pair.wrong.line("This machine's clock differs")

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

  @Test("keep an event stream for as long as its token is valid by the clock that they agree on")
  func streams() throws {
    let pair = try Pair(offsetSeconds: 3 * 3_600)
    let (right, wrong) = pair.clients
    _ = try pair.wrong.line("This machine's clock differs")
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

  @Test(
    "go on as before when the machine's clock is stepped, and find at once that the database's was not",
    arguments: [2 * 86_400, -2 * 86_400])
  func steps(seconds: Int64) throws {
    let steps = try ClockSteps()
    let settings = ["DATABASE_URL": try TestDatabase.make(), "HEALTH_INTERVAL_MILLISECONDS": "60000"]
    let server = try WrongClock.shared.get().server(steps, settings)
    let client = Client(port: try server.port())
    #expect(try holds { try client.get("/readyz").status == 200 })
    let credentials = #""email":"ada@example.org","password":"\#(LiveServer.password)""#
    #expect(try client.post("/api/users", #"{"displayName":"A",\#(credentials)}"#).status == 201)
    client.token = try client.post("/api/sessions", "{\(credentials)}").json["accessToken"]?.text
    let garden = try client.post("/api/gardens", #"{"name":"Bed"}"#).json["id"]?.text ?? ""
    let device = try client.makeDevice(in: garden)
    let probe = Client(port: client.port, token: device.key)

    steps.step(toSeconds: seconds)
    // Long before the next check is due.
    #expect(holds(within: 20) { server.log.lines.contains { $0.contains("This machine's clock differs") } })
    // The loop has seen it: what is not agreed on, the date of answers, goes by the machine's clock.
    let today = Timestamp(unixMilliseconds: Clock.unixMilliseconds()).internetMessageText.prefix(16)
    #expect(try holds { try client.get("/livez").header("date")?.hasPrefix(today) == false })
    #expect(try client.get("/api/users/me").status == 200)
    let path = "/api/devices/\(device.id)/readings"
    let recent = Sample(value: 10, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds()))
    #expect(try probe.post(path, Sample.document([recent])).receipt == [1, 0])
    #expect(try probe.post(path, #"{"readings":[{"sensorType":"soil_moisture","value":11}]}"#).receipt == [1, 0])
    for reading in try client.get(path).json["items"]?.elements ?? [] {
      #expect(try Self.isNow(reading["measuredAt"]))
    }
    let made = try #require(try client.post("/api/gardens", #"{"name":"Yard"}"#).json["id"]?.text)
    #expect(abs(Int64(try #require(Identifier(made)).high >> 16) - Clock.unixMilliseconds()) < 600_000)
  }

  @Test("follow at once when the machine's clock and the database's are stepped together", arguments: [300, -300])
  func stepsTogether(seconds: Int64) throws {
    let url = try TestDatabase.make()
    _ = try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 60) { database in
      try await database.execute("CREATE TABLE public.clock_step AS SELECT 0 AS seconds")
      try await database.execute(
        """
        CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
        'SELECT pg_catalog.clock_timestamp() + seconds * interval ''1 second'' FROM public.clock_step'
        """)
    }
    let steps = try ClockSteps()
    let settings = [
      "DATABASE_URL": url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3Dpublic,pg_catalog",
      "HEALTH_INTERVAL_MILLISECONDS": "60000",
    ]
    let server = try WrongClock.shared.get().server(steps, settings)
    let client = Client(port: try server.port())
    #expect(try holds { try client.get("/readyz").status == 200 })
    _ = try Database.standalone(DatabaseConfiguration(url: url), connectSeconds: 60) {
      try await $0.execute("UPDATE public.clock_step SET seconds = \(seconds)")
    }
    steps.step(toSeconds: seconds)
    #expect(
      try holds(within: 20) {
        // An account, which needs no token: one from before the step may lie in the future now.
        let account =
          #"{"displayName":"A","email":"\#(UInt64.random(in: 0...(.max)))@example.org","password":"\#(LiveServer.password)"}"#
        let id = try client.post("/api/users", account).json["id"]?.text
        let made = try #require(id.flatMap { Identifier($0) }).high >> 16
        return abs(Int64(made) - Clock.unixMilliseconds() - seconds * 1_000) < 60_000
      })
  }

  @Test("follow the database's clock once they are clearly apart, and their own when they are near")
  func learning() {
    let clock = AgreedClock()
    /// Learns that the database's clock is `offset` milliseconds ahead of the machine's, which is `step` beyond what it
    /// was at first.
    func learn(_ offset: Int64, asking: UInt64 = 0, step: Int64 = 0) -> Bool {
      clock.learn(
        database: Timestamp(unixMilliseconds: 10_000_000 + step + offset), between: (4_000_000 - asking) * 1_000_000,
        and: (4_000_000 + asking) * 1_000_000, calendarOffset: (6_000_000 + step) * 1_000_000)
    }
    func moment(step: Int64 = 0) -> Int64 {
      clock.moment(at: 4_000_000_000_000, calendarOffset: (6_000_000 + step) * 1_000_000).unixMilliseconds
    }
    #expect(moment() == 10_000_000)
    #expect(!learn(900) && clock.correctionMilliseconds == 0)
    // As much may have passed while the database was asked.
    #expect(!learn(1_900, asking: 1_000) && clock.correctionMilliseconds == 0)
    #expect(learn(-7_200_000) && moment() == 2_800_000)
    #expect(!learn(-7_200_300) && clock.correctionMilliseconds == -7_200_000)
    #expect(learn(200) && clock.correctionMilliseconds == 0 && moment() == 10_000_000)
    // A step of the machine's clock, back again, and a small one.
    let days: Int64 = 2 * 86_400_000
    #expect(moment(step: days) == 10_000_000)
    #expect(learn(-days, step: days) && clock.correctionMilliseconds == -days && moment(step: days) == 10_000_000)
    #expect(!learn(-days - 200, step: days) && moment(step: days) == 10_000_000)
    #expect(moment() == 10_000_000)
    #expect(learn(0) && clock.correctionMilliseconds == 0 && moment() == 10_000_000)
    #expect(!learn(-300, step: 300) && moment() == 10_000_300)
    // Near the tolerance, the clock that is followed does not change back and forth.
    #expect(!learn(0) && learn(1_100) && !learn(900) && clock.correctionMilliseconds == 1_100 && moment() == 10_001_100)
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

  /// A server whose clock is right until `steps` moves it.
  func server(_ steps: ClockSteps, _ settings: [String: String]) throws -> ServerProcess {
    try server(0, settings.merging(["CLOCK_OFFSET_FILE": steps.path]) { $1 })
  }
}

/// How far the calendar clock of a running process is moved, in a file that the process has mapped.
final class ClockSteps {
  let path = "/tmp/terroir-clock-\(Identifier.make(unixMilliseconds: Clock.unixMilliseconds())).offset"
  private let file: Int32

  init() throws {
    file = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    guard file >= 0 else { throw SystemError("open") }
    step(toSeconds: 0)
  }

  deinit {
    close(file)
    unlink(path)
  }

  /// Has the clock be `seconds` off from now on.
  func step(toSeconds seconds: Int64) {
    var seconds = seconds
    let count = pwrite(file, &seconds, MemoryLayout.size(ofValue: seconds), 0)
    precondition(count == MemoryLayout.size(ofValue: seconds))
  }
}
