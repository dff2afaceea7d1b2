import Glibc
import JSON
import Reactor
import Testing
import Values

@testable import Gardens
@testable import Secrets
@testable import Settings

@Suite("The events of a garden", .blocking)
struct GardenEventsTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private func watch(_ device: TestDevice, on server: LiveServer? = nil, after id: String? = nil) throws -> EventStream
  {
    try EventStream(server ?? self.server, "\(device.garden)", token: device.owner.token, after: id)
  }

  /// Posts so many readings and gives their values.
  private func post(_ device: TestDevice, _ client: Client, _ count: Int, type: String = "soil_moisture") throws {
    #expect(try device.post(client, Sample.series(count, type: type)).receipt == [Int64(count), 0])
  }

  private func values(_ events: [EventStream.Event]) throws -> [Double?] {
    try events.map { try JSONReader.parse(Array($0.data.utf8))["value"]?.number }
  }

  /// What is told before a gap; nil when none has come in a minute of heartbeats.
  private func untilGap(_ stream: EventStream) throws -> [EventStream.Event]? {
    var told: [EventStream.Event] = []
    for _ in 0..<60 {
      guard let part = try stream.nextPart() else { return nil }
      if part.name == "gap" { return told }
      if !part.name.isEmpty { told.append(part) }
    }
    return nil
  }

  @Test("are opened once by a ticket, as long as what got the ticket is good")
  func tickets() throws {
    let device = try TestDevice(server)
    let path = "/api/gardens/\(device.garden)/events/tickets"
    let made = try device.owner.post(path, "")
    #expect(made.status == 201)
    #expect(made.header("cache-control") == "no-store")
    #expect(try made.json["expiresIn"]?.integer == 30)
    let ticket = try #require(try made.json["ticket"]?.text)
    let other = try TestDevice(server)
    #expect(try EventStream(server, "\(other.garden)", query: "?ticket=\(ticket)").status == 401)
    let stream = try EventStream(server, "\(device.garden)", query: "?ticket=\(ticket)")
    #expect(stream.status == 200)
    #expect(try EventStream(server, "\(device.garden)", query: "?ticket=\(ticket)").status == 401)
    try post(device, device.client, 2)
    let first = try stream.take(2)
    #expect(try values(first) == [0, 1])

    let program = Client(server, token: try device.owner.makeToken([.read]))
    let again = try #require(try program.post(path, "").json["ticket"]?.text)
    let resumed = try EventStream(
      server, "\(device.garden)", query: "?lastEventId=\(first[0].id)&ticket=\(again)")
    #expect(try resumed.next() == first[1])
    #expect(try other.owner.post(path, "").status == 404)
    let last = try #require(try program.post(path, "").json["ticket"]?.text)
    let id = try #require(try device.owner.get("/api/tokens").json["items"]?.elements?.first?["id"]?.text)
    #expect(try device.owner.delete("/api/tokens/\(id)").status == 204)
    #expect(
      try holds {
        let ticket = try #require(try device.owner.post(path, "").json["ticket"]?.text)
        return try EventStream(server, "\(device.garden)", query: "?ticket=\(ticket)").status == 200
      })
    #expect(try EventStream(server, "\(device.garden)", query: "?ticket=\(last)").status == 401)
  }

  @Test("tell each accepted reading, whichever replica took it")
  func readings() throws {
    let replica = try server.replica()
    defer { replica.stop() }
    let device = try TestDevice(server)
    let streams = try [server, server, server, replica, replica].map { try watch(device, on: $0) }
    for stream in streams {
      #expect(stream.status == 200)
      #expect(stream.head.contains("\r\ncontent-type: text/event-stream\r\n"))
      #expect(stream.head.contains("\r\ncache-control: no-store\r\n"))
      #expect(stream.head.contains("\r\nx-accel-buffering: no\r\n"))
    }
    let sample = Sample(type: "ph", value: 6.5, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds()))
    for (round, writer) in [server, replica].enumerated() {
      let client = Client(writer, token: device.key.text)
      let reading = Sample(type: "ph", value: 6.5, at: sample.at.advanced(byMilliseconds: Int64(round)))
      // The duplicate is told once, with the first.
      for accepted: Int64 in [1, 0] { #expect(try device.post(client, [reading]).receipt[0] == accepted) }
      let told = try streams.map { try #require(try $0.next()) }
      #expect(told.allSatisfy { $0 == told[0] })
      #expect(told[0].name == "reading")
      #expect(EventID(told[0].id) != nil)
      let data = try JSONReader.parse(Array(told[0].data.utf8))
      #expect(data["deviceId"]?.text == "\(device.id)")
      #expect(data["sensorType"]?.text == "ph")
      #expect(data["value"]?.number == 6.5)
      #expect(data["measuredAt"]?.text == "\(reading.at)")
    }
  }

  @Test("are for the owner, and for anyone if the garden is public")
  func access() throws {
    let device = try TestDevice(server)
    let path = "/api/gardens/\(device.garden)/events"
    let (stranger, _) = try server.signedIn()
    for client in [Client(server), stranger, device.client] { #expect(try client.get(path).status == 404) }
    #expect(try Client(server).get("/api/gardens/x/events").status == 404)
    let head = try device.owner.send("HEAD", path)
    #expect(head.status == 200 && head.header("content-type") == "text/event-stream")
    #expect(try device.owner.patch("/api/gardens/\(device.garden)", #"{"public":true}"#).status == 200)
    #expect(try EventStream(server, "\(device.garden)").status == 200)
  }

  @Test("resume after the last one that was seen, without a gap and without one twice", arguments: [1, 199, 200, 700])
  func resume(count: Int) throws {
    let replica = try server.replica()
    defer { replica.stop() }
    let device = try TestDevice(server)
    let client = device.client
    var stream: EventStream? = try watch(device)
    try post(device, client, 3, type: "first")
    let seen = try #require(try stream?.take(3).last?.id)
    stream = nil
    try post(device, client, count, type: "missed")
    let resumed = try watch(device, on: replica, after: seen)
    try post(device, client, 5, type: "after")
    let events = try resumed.take(count + 5)
    let ids = events.compactMap { EventID($0.id) }
    #expect(ids.count == count + 5 && ids == ids.sorted() && Set(ids.map(\.description)).count == ids.count)
    let expected = (0..<count).map { Double($0 % 100) } + [0, 1, 2, 3, 4]
    #expect(try values(events) == expected)
  }

  @Test("resume from where they began when the connection is lost before the first one")
  func resumeFromBeginning() throws {
    let device = try TestDevice(server)
    // Nothing is kept of the garden yet, and then something is.
    for round in 0..<2 {
      var stream: EventStream? = try watch(device)
      let id = try #require(EventID(try stream?.nextPart()?.id ?? ""))
      stream = nil
      try post(device, device.client, 1, type: "missed\(round)")
      let resumed = try watch(device, after: "\(id)")
      var event = try resumed.next()
      if event?.name == "gap" { event = try resumed.next() }
      #expect(event?.data.contains("missed\(round)") == true)
    }
  }

  @Test("say so where some may be missing, since more came than are kept, or nothing is kept any more")
  func missing() throws {
    let device = try TestDevice(server)
    let stream = EventKeys(prefix: server.configuration.redis.keyPrefix).stream(device.garden)
    let live = try watch(device)
    try post(device, device.client, 5)
    let told = try live.take(5)
    let gap = EventStream.Event(name: "gap", data: "{}")
    #expect(try watch(device, after: told[2].id).take(2) == Array(told[3...]))
    try RedisWire().send("XTRIM", stream, "MAXLEN", "2")
    let resumed = try watch(device, after: told[1].id)
    try #require(try resumed.next() == gap)
    #expect(try resumed.take(2) == Array(told[3...]))
    // It has had the last one.
    let whole = try watch(device, after: told[4].id)
    try RedisWire().send("DEL", stream)
    let late = try watch(device, after: told[3].id)
    try post(device, device.client, 1, type: "ph")
    try #require(try late.next()?.name == "gap")
    for stream in [live, resumed, whole, late] {
      // A loop that begins to watch tells all of them.
      let event = try stream.next()
      #expect(try (event?.name == "gap" ? stream.next() : event)?.data.contains("\"ph\"") == true)
    }
  }

  @Test(
    "begin with what happens from now on, when the last one seen is none of ours",
    arguments: ["x", "1-", "9999999999999999-0"])
  func strangeID(id: String) throws {
    let device = try TestDevice(server)
    let first = try watch(device)
    try post(device, device.client, 2, type: "before")
    _ = try first.take(2)
    let stream = try watch(device, after: id)
    try post(device, device.client, 1, type: "now")
    #expect(try stream.next()?.data.contains("\"now\"") == true)
  }

  @Test("have a comment now and then")
  func heartbeat() throws {
    let quick = try server.replica(["EVENTS_HEARTBEAT_SECONDS": "1"])
    defer { quick.stop() }
    let stream = try watch(try TestDevice(server), on: quick)
    let begin = Clock.monotonic()
    #expect(try EventID(stream.nextPart()?.id ?? "") != nil)
    for _ in 0..<3 { #expect(try stream.nextPart() == EventStream.Event()) }
    #expect((1_500_000_000...4_500_000_000).contains(Clock.monotonic() - begin))
  }

  @Test("end when the garden becomes private or is deleted")
  func revocation() throws {
    let device = try TestDevice(server)
    let path = "/api/gardens/\(device.garden)"
    #expect(try device.owner.patch(path, #"{"public":true}"#).status == 200)
    let (anyone, owner) = (try EventStream(server, "\(device.garden)"), try watch(device))
    #expect(try device.owner.patch(path, #"{"public":false}"#).status == 200)
    #expect(try anyone.next() == nil && anyone.isWhole)
    try post(device, device.client, 1)
    #expect(try owner.next() != nil)
    #expect(try device.owner.delete(path).status == 204)
    #expect(try owner.next() == nil && owner.isWhole)
  }

  @Test("end soon after the session that watches them")
  func signOut() throws {
    let quick = try server.replica(["EVENTS_HEARTBEAT_SECONDS": "1"])
    defer { quick.stop() }
    let device = try TestDevice(server)
    let stream = try watch(device, on: quick)
    #expect(try device.owner.delete("/api/sessions/current").status == 204)
    #expect(try stream.next() == nil && stream.isWhole)
  }

  @Test("end when the server does")
  func draining() throws {
    let ending = try server.replica()
    let stream = try watch(try TestDevice(server), on: ending)
    ending.stop()
    #expect(try stream.next() == nil && stream.isWhole)
  }

  @Test("are watched by so many clients at a time only")
  func bound() throws {
    let small = try server.replica(["EVENTS_STREAMS": "2", "WORKERS": "1"])
    defer { small.stop() }
    let device = try TestDevice(server)
    var streams = [try watch(device, on: small), try watch(device, on: small)]
    let client = Client(small, token: device.owner.token)
    let refused = try client.get("/api/gardens/\(device.garden)/events")
    #expect(refused.status == 503 && refused.problem == "overloaded" && refused.header("retry-after") != nil)
    streams.removeLast()
    // The place is free once the server has seen that the client is gone, at the latest with a heartbeat.
    try post(device, device.client, 1)
    try post(device, device.client, 1, type: "ph")
    #expect(try holds { try watch(device, on: small).status == 200 })
  }

  @Test("are watched by one client so often only, over all loops, and others have places left")
  func boundOfClient() throws {
    let small = try server.replica(["EVENTS_STREAMS_PER_CLIENT": "2", "TRUSTED_PROXIES": "127.0.0.1"])
    defer { small.stop() }
    let (owner, _) = try small.signedIn()
    let garden = try owner.makeGarden(#"{"name":"Bed","public":true}"#)
    var streams = try (0..<2).map { _ in try EventStream(small, garden, token: owner.token) }
    for client in small.clients(6, token: owner.token) {
      let refused = try client.get("/api/gardens/\(garden)/events")
      #expect(refused.status == 429 && refused.problem == "too-many-requests" && refused.header("retry-after") != nil)
    }
    // Neighbours in a network without login share its places.
    let strangers = try (0..<3).map { try EventStream(small, garden, from: "2001:db8:5:6::\($0)") }
    #expect(strangers.map(\.status) == [200, 200, 429])
    #expect(try EventStream(small, garden, from: "2001:db8:5:7::1").status == 200)
    streams.removeLast()
    let device = try owner.makeDevice(in: garden)
    let isFree = try holds(within: 20) {
      // What is told shows the server that the client is gone.
      try owner.post(
        "/api/devices/\(device.id)/readings",
        #"{"readings":[{"sensorType":"ph","value":7,"measuredAt":"\#(Timestamp(unixMilliseconds: Clock.unixMilliseconds()))"}]}"#
      )
      return try EventStream(small, garden, token: owner.token).status == 200
    }
    #expect(isFree)
  }

  @Test("are not missed while the connection to Redis is broken")
  func gap() throws {
    let alone = try LiveServer(["REDIS_URL": try TestStores.redisURL(database: 6), "DATABASE_URL": server.databaseURL])
    defer { alone.stop() }
    let device = try TestDevice(alone)
    let streams = try (0..<4).map { _ in try watch(device, on: alone) }
    let client = device.client
    for round in 0..<5 {
      try RedisWire().breakConnections(database: 6)
      try post(device, client, 20, type: "round\(round)")
    }
    for stream in streams {
      // What was perhaps told when a connection broke is told again.
      var told: Set<String> = []
      while told.count < 100, let event = try stream.next() { told.insert(event.data) }
      #expect(told.count == 100)
    }
  }

  @Test(
    "say so where Redis has lost what it keeps of them, to those who were away and to who resumes later",
    arguments: [["watched", "stream"], ["watched"], ["stream"]])
  func lost(what: [String]) throws {
    let redis = try RedisGuest()
    let replica = try server.replica(["REDIS_URL": redis.url, "EVENTS_HEARTBEAT_SECONDS": "1"])
    defer { replica.stop() }
    let device = try TestDevice(server)
    let live = try watch(device, on: replica)
    try post(device, device.client, 1, type: "seen")
    let seen = try #require(try live.next())
    #expect(seen.data.contains("seen"))
    try redis.turnAway()
    try post(device, device.client, 1, type: "missed")
    let key = EventKeys(prefix: server.configuration.redis.keyPrefix).stream(device.garden).dropLast("stream".count)
    let wire = try RedisWire()
    #expect(try holds { try wire.send("XREVRANGE", "\(key)stream", "+", "-", "COUNT", "1").contains("missed") })
    for name in what { try wire.send("DEL", "\(key)\(name)") }
    try redis.letIn()
    for stream in try [live, watch(device, on: replica, after: seen.id)] {
      #expect(try #require(try untilGap(stream)).allSatisfy { $0.data.contains("missed") })
    }
    try post(device, device.client, 1, type: "after")
    #expect(try live.next()?.data.contains("after") == true)
  }

  @Test("say so where Redis has lost what it keeps of them, to those who watch", arguments: ["watched", "stream"])
  func lostMeanwhile(what: String) throws {
    let quick = try server.replica(["EVENTS_HEARTBEAT_SECONDS": "1"])
    defer { quick.stop() }
    let device = try TestDevice(server)
    let stream = try watch(device, on: quick)
    let keys = EventKeys(prefix: server.configuration.redis.keyPrefix)
    try RedisWire().send("DEL", what == "stream" ? keys.stream(device.garden) : keys.watched(device.garden))
    #expect(try #require(try untilGap(stream)).isEmpty)
    try post(device, device.client, 1, type: "ph")
    #expect(try stream.next()?.data.contains("\"ph\"") == true)
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
    let stream = try watch(device, on: replica)
    try redis.turnAway()
    let beyond = 2_000
    for round in 0..<(EventPublisher.maximumWaiting + beyond) / 1_000 {
      try post(device, client, 1_000, type: "round\(round)")
    }
    #expect(try holds { try counts(beyond) })
    try redis.letIn()
    #expect(try stream.next()?.name == "gap")
    #expect(try stream.next()?.data.contains("\"round\(beyond / 1_000)\"") == true)
    #expect(try counts(beyond))
  }

  @Test("are cut off for a client that does not read them, which resumes where it was")
  func slowReader() throws {
    let device = try TestDevice(server)
    let quick = try watch(device)
    let slow = try EventStream(
      server, "\(device.garden)", token: device.owner.token, receiveBytes: 65_536)
    // More than the kernel's buffers for the connection and the server's own hold.
    let insight = #"{"text":"\#(String(repeating: "a", count: 100_000))"}"#
    let keys = EventKeys(prefix: server.configuration.redis.keyPrefix)
    let redis = try RedisWire()
    for _ in 0..<100 {
      try redis.send(
        "EVAL", EventScripts.publish.text, "2", keys.watched(device.garden), keys.stream(device.garden), "1000",
        "300000", keys.channel(device.garden), "1", "insight", insight)
      let event = try #require(try quick.next())
      #expect(event.name == "insight" && event.data == insight)
    }
    var last = ""
    var count = 0
    while let event = try? slow.next() {
      last = event.id
      count += 1
    }
    #expect(count > 0 && count < 100)
    let resumed = try watch(device, after: last)
    for _ in count..<100 { #expect(try resumed.next()?.data.utf8.count == insight.utf8.count) }
    #expect(server.log.lines.contains { $0.contains("A slow reader of events was cut off") })
  }

  @Test("are kept for no garden that nobody watches")
  func unwatched() throws {
    let device = try TestDevice(server)
    let keys = EventKeys(prefix: server.configuration.redis.keyPrefix)
    try post(device, device.client, 3)
    #expect(try RedisWire().send("EXISTS", keys.stream(device.garden)) == "0")
    let stream = try watch(device)
    try post(device, device.client, 3, type: "ph")
    #expect(try stream.take(3).count == 3)
    #expect(try RedisWire().send("EXISTS", keys.stream(device.garden)) == "1")
  }
}
