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

  @Test("report each accepted reading, whichever replica accepted it")
  func readings() throws {
    let replica = try server.replica()
    defer { replica.stop() }
    let device = try TestDevice(server)
    let streams = try [server, server, server, replica, replica].map { try device.watch(on: $0) }
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
      // The duplicate causes no event of its own.
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

  @Test("include a comment at each heartbeat")
  func heartbeat() throws {
    let quick = try server.replica(["EVENTS_HEARTBEAT_SECONDS": "1"])
    defer { quick.stop() }
    let stream = try TestDevice(server).watch(on: quick)
    let begin = Clock.monotonic()
    #expect(try EventID(stream.nextPart()?.id ?? "") != nil)
    for _ in 0..<3 { #expect(try stream.nextPart() == EventStream.Event()) }
    #expect(Clock.monotonic() - begin > 1_500_000_000)
  }

  @Test("end when the garden becomes private or is deleted")
  func revocation() throws {
    let device = try TestDevice(server)
    let path = "/api/gardens/\(device.garden)"
    #expect(try device.owner.patch(path, #"{"public":true}"#).status == 200)
    let (anyone, owner) = (try EventStream(server, "\(device.garden)"), try device.watch())
    #expect(try device.owner.patch(path, #"{"public":false}"#).status == 200)
    #expect(try anyone.next() == nil && anyone.isWhole)
    try device.post(1)
    #expect(try owner.next() != nil)
    #expect(try device.owner.delete(path).status == 204)
    #expect(try owner.next() == nil && owner.isWhole)
  }

  @Test("end at once with the session or token that they are watched by, whichever replica ended it")
  func signOut() throws {
    let replica = try server.replica(["EVENTS_HEARTBEAT_SECONDS": "30"])
    defer { replica.stop() }
    let device = try TestDevice(server)
    let token = try device.owner.makeToken([.read])
    let program = Client(server, token: token)
    let ticket = try #require(
      try program.post("/api/gardens/\(device.garden)/events/tickets", "").json["ticket"]?.text)
    let programs = [
      try EventStream(replica, "\(device.garden)", token: token),
      try EventStream(replica, "\(device.garden)", query: "?ticket=\(ticket)"),
    ]
    let stream = try device.watch(on: replica)
    func isAtOnce(_ stream: EventStream) throws -> Bool {
      // With a heartbeat the stream would end in any case.
      while let part = try stream.nextPart() { if part == EventStream.Event() { return false } }
      return stream.isWhole
    }
    let id = try #require(try device.owner.get("/api/tokens").json["items"]?.elements?.first?["id"]?.text)
    #expect(try device.owner.delete("/api/tokens/\(id)").status == 204)
    for stream in programs { #expect(try isAtOnce(stream)) }
    try device.post(1)
    #expect(try stream.next()?.name == "reading")
    #expect(try device.owner.delete("/api/sessions/current").status == 204)
    #expect(try isAtOnce(stream))
  }

  @Test("end when the server does")
  func draining() throws {
    let ending = try server.replica()
    let stream = try TestDevice(server).watch(on: ending)
    ending.stop()
    #expect(try stream.next() == nil && stream.isWhole)
  }

  @Test("can be watched by a limited number of clients at a time")
  func bound() throws {
    let small = try server.replica(["EVENTS_STREAMS": "2", "WORKERS": "1"])
    defer { small.stop() }
    let device = try TestDevice(server)
    var streams = [try device.watch(on: small), try device.watch(on: small)]
    let client = Client(small, token: device.owner.token)
    let refused = try client.get("/api/gardens/\(device.garden)/events")
    #expect(refused.status == 503 && refused.problem == "overloaded" && refused.header("retry-after") != nil)
    streams.removeLast()
    // The place is free once the server has seen that the client is gone, at the latest with a heartbeat.
    try device.post(1)
    try device.post(1, type: "ph")
    #expect(try holds { try device.watch(on: small).status == 200 })
  }

  @Test("can be watched by one client a limited number of times, over all loops, so that others have places left")
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
    // Clients of one network that are not signed in share its places.
    let strangers = try (0..<3).map { try EventStream(small, garden, from: "2001:db8:5:6::\($0)") }
    #expect(strangers.map(\.status) == [200, 200, 429])
    #expect(try EventStream(small, garden, from: "2001:db8:5:7::1").status == 200)
    streams.removeLast()
    let device = try owner.makeDevice(in: garden)
    let isFree = try holds(within: 20) {
      // Sending an event shows the server that the client is gone.
      try owner.post(
        "/api/devices/\(device.id)/readings",
        #"{"readings":[{"sensorType":"ph","value":7,"measuredAt":"\#(Timestamp(unixMilliseconds: Clock.unixMilliseconds()))"}]}"#
      )
      return try EventStream(small, garden, token: owner.token).status == 200
    }
    #expect(isFree)
  }

  @Test("are cut off for a client that does not read them, which can resume where it was")
  func slowReader() throws {
    let device = try TestDevice(server)
    let quick = try device.watch()
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
    let resumed = try device.watch(after: last)
    for _ in count..<100 { #expect(try resumed.next()?.data.utf8.count == insight.utf8.count) }
    #expect(server.log.lines.contains { $0.contains("Disconnected a slow event stream") })
  }

  @Test("are not kept for a garden that nobody watches")
  func unwatched() throws {
    let device = try TestDevice(server)
    let keys = EventKeys(prefix: server.configuration.redis.keyPrefix)
    try device.post(3)
    #expect(try RedisWire().send("EXISTS", keys.stream(device.garden)) == "0")
    let stream = try device.watch()
    try device.post(3, type: "ph")
    #expect(try stream.take(3).count == 3)
    #expect(try RedisWire().send("EXISTS", keys.stream(device.garden)) == "1")
  }
}
