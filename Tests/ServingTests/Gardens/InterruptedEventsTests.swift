import Testing

@testable import Gardens
@testable import Settings

@Suite("Interrupted events", .blocking)
struct InterruptedEventsTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("resume after the last one that was seen, without gaps or duplicates", arguments: [1, 199, 200, 700])
  func resume(count: Int) throws {
    let replica = try server.replica()
    defer { replica.stop() }
    let device = try TestDevice(server)
    var stream: EventStream? = try device.watch()
    try device.post(3, type: "first")
    let seen = try #require(try stream?.take(3).last?.id)
    stream = nil
    try device.post(count, type: "missed")
    let resumed = try device.watch(on: replica, after: seen)
    try device.post(5, type: "after")
    let events = try resumed.take(count + 5)
    let ids = events.compactMap { EventID($0.id) }
    #expect(ids.count == count + 5 && ids == ids.sorted() && Set(ids.map(\.description)).count == ids.count)
    // Requests of different loops are published apart; the events of each keep their order.
    for (type, posted) in [("missed", count), ("after", 5)] {
      let values = try events.filter { $0.data.contains(type) }.map { try $0.value }
      #expect(values == (0..<posted).map { Double($0 % 100) })
    }
  }

  @Test("resume from where they began when the connection is lost before the first one")
  func resumeFromBeginning() throws {
    let device = try TestDevice(server)
    // In the first round nothing is kept of the garden yet, in the second something is.
    for round in 0..<2 {
      var stream: EventStream? = try device.watch()
      let id = try #require(EventID(try stream?.nextPart()?.id ?? ""))
      stream = nil
      try device.post(1, type: "missed\(round)")
      let resumed = try device.watch(after: "\(id)")
      var event = try resumed.next()
      if event?.name == "gap" { event = try resumed.next() }
      #expect(event?.data.contains("missed\(round)") == true)
    }
  }

  @Test("report a gap where some may be missing, since more came than are kept, or nothing is kept any more")
  func missing() throws {
    let device = try TestDevice(server)
    let stream = EventKeys(prefix: server.configuration.redis.keyPrefix).stream(device.garden)
    let live = try device.watch()
    try device.post(5)
    let told = try live.take(5)
    let gap = EventStream.Event(name: "gap", data: "{}")
    #expect(try device.watch(after: told[2].id).take(2) == Array(told[3...]))
    try RedisWire().send("XTRIM", stream, "MAXLEN", "2")
    let resumed = try device.watch(after: told[1].id)
    try #require(try resumed.next() == gap)
    #expect(try resumed.take(2) == Array(told[3...]))
    // This client has seen the last event.
    let whole = try device.watch(after: told[4].id)
    try RedisWire().send("DEL", stream)
    let late = try device.watch(after: told[3].id)
    try device.post(1, type: "ph")
    try #require(try late.next()?.name == "gap")
    for stream in [live, resumed, whole, late] {
      // A loop that begins to watch reports a gap to all of its clients.
      let event = try stream.next()
      #expect(try (event?.name == "gap" ? stream.next() : event)?.data.contains("\"ph\"") == true)
    }
  }

  @Test(
    "begin with what happens from now on if the last one seen is not one of ours",
    arguments: ["x", "1-", "9999999999999999-0"])
  func strangeID(id: String) throws {
    let device = try TestDevice(server)
    let first = try device.watch()
    try device.post(2, type: "before")
    _ = try first.take(2)
    let stream = try device.watch(after: id)
    try device.post(1, type: "now")
    #expect(try stream.next()?.data.contains("\"now\"") == true)
  }

  @Test("are not missed while the connection to Redis is broken")
  func gap() throws {
    let alone = try LiveServer(["REDIS_URL": try TestStores.redisURL(database: 6), "DATABASE_URL": server.databaseURL])
    defer { alone.stop() }
    let device = try TestDevice(alone)
    let streams = try (0..<4).map { _ in try device.watch(on: alone) }
    for round in 0..<5 {
      try RedisWire().breakConnections(database: 6)
      try device.post(20, type: "round\(round)")
    }
    for stream in streams {
      // Events that may have been delivered when a connection broke are delivered again.
      var told: Set<String> = []
      while told.count < 100, let event = try stream.next() { told.insert(event.data) }
      #expect(told.count == 100)
    }
  }

  @Test(
    "report a gap after Redis has lost what it keeps of them, to streams that were stalled and those that resume",
    arguments: [["watched", "stream"], ["watched"], ["stream"]])
  func lost(what: [String]) throws {
    let redis = try RedisGuest()
    let replica = try server.replica(["REDIS_URL": redis.url, "EVENTS_HEARTBEAT_SECONDS": "1"])
    defer { replica.stop() }
    let device = try TestDevice(server)
    let live = try device.watch(on: replica)
    try device.post(1, type: "seen")
    let seen = try #require(try live.next())
    #expect(seen.data.contains("seen"))
    try redis.turnAway()
    try device.post(1, type: "missed")
    let key = EventKeys(prefix: server.configuration.redis.keyPrefix).stream(device.garden).dropLast("stream".count)
    let wire = try RedisWire()
    #expect(try holds { try wire.send("XREVRANGE", "\(key)stream", "+", "-", "COUNT", "1").contains("missed") })
    for name in what { try wire.send("DEL", "\(key)\(name)") }
    try redis.letIn()
    for stream in try [live, device.watch(on: replica, after: seen.id)] {
      #expect(try #require(try stream.untilGap()).allSatisfy { $0.data.contains("missed") })
    }
    try device.post(1, type: "after")
    #expect(try live.next()?.data.contains("after") == true)
  }

  @Test("report a gap as soon as Redis loses what it keeps of them, to open streams", arguments: ["watched", "stream"])
  func lostMeanwhile(what: String) throws {
    let quick = try server.replica(["EVENTS_HEARTBEAT_SECONDS": "1"])
    defer { quick.stop() }
    let device = try TestDevice(server)
    let stream = try device.watch(on: quick)
    let keys = EventKeys(prefix: server.configuration.redis.keyPrefix)
    try RedisWire().send("DEL", what == "stream" ? keys.stream(device.garden) : keys.watched(device.garden))
    #expect(try #require(try stream.untilGap()).isEmpty)
    try device.post(1, type: "ph")
    #expect(try stream.next()?.data.contains("\"ph\"") == true)
  }

  @Test("are reported as stalled while Redis is away, and as having a gap once they come again")
  func stalled() throws {
    let redis = try RedisGuest()
    let replica = try server.replica(["REDIS_URL": redis.url, "WORKERS": "1"])
    defer { replica.stop() }
    let device = try TestDevice(server)
    let live = try device.watch(on: replica)
    _ = try live.nextPart()
    try redis.turnAway()
    try device.post(1, type: "missed")
    #expect(try live.next() == EventStream.Event(name: "stalled", data: "{}"))
    let late = try device.watch(on: replica)
    #expect(try late.next()?.name == "stalled")
    try redis.letIn()
    #expect(try #require(try live.untilGap()).map { $0.data.contains("missed") } == [true])
    #expect(try #require(try late.untilGap()).isEmpty)
    try device.post(1, type: "after")
    for stream in [live, late] { #expect(try stream.next()?.data.contains("after") == true) }
  }

  @Test("are counted and leave a gap when Redis is away for so long that the oldest are dropped")
  func dropped() throws {
    let redis = try RedisGuest()
    let alone = try LiveServer(["REDIS_URL": redis.url, "DATABASE_URL": server.databaseURL, "WORKERS": "1"])
    defer { alone.stop() }
    let replica = try alone.replica(["REDIS_URL": try TestStores.redisURL])
    defer { replica.stop() }
    let device = try TestDevice(alone)
    let client = device.client
    func counts(_ count: Int) throws -> Bool {
      try client.get("/metrics").text.contains("\ngarden_events_dropped_total \(count)\n")
    }
    #expect(try counts(0))
    let stream = try device.watch(on: replica)
    try redis.turnAway()
    let beyond = 2_000
    for round in 0..<(EventPublisher.maximumWaiting + beyond) / 1_000 {
      try device.post(1_000, type: "round\(round)")
    }
    #expect(try holds { try counts(beyond) })
    try redis.letIn()
    #expect(try stream.next()?.name == "gap")
    #expect(try stream.next()?.data.contains("\"round\(beyond / 1_000)\"") == true)
    #expect(try counts(beyond))
  }
}
