import Glibc
import JSON
import Reactor
import Testing
import Values

@testable import Gardens
@testable import Secrets

@Suite("The latest readings of a garden", .blocking)
struct LatestReadingsTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  private func at(_ secondsAgo: Int64) -> Timestamp {
    Timestamp(unixMilliseconds: Clock.unixMilliseconds() - secondsAgo * 1_000)
  }

  /// `TYPE VALUE` of each item.
  private func latest(_ client: Client, _ garden: Identifier) throws -> [String] {
    let reply = try client.get("/api/gardens/\(garden)/latest")
    #expect(reply.status == 200)
    return try (reply.json["items"]?.elements ?? []).map {
      "\($0["sensorType"]?.text ?? "") \($0["value"]?.number ?? .nan)"
    }
  }

  @Test("are the newest by time of measurement for each device and sensor type, with their units")
  func newest() throws {
    let device = try TestDevice(server)
    let path = "/api/gardens/\(device.garden)/latest"
    #expect(try latest(device.owner, device.garden) == [])
    let time = at(60)
    let reply = try device.post(
      device.client,
      [
        Sample(type: "soil_moisture", value: 1, at: time.advanced(byMilliseconds: -1)),
        Sample(type: "soil_moisture", value: 2.5, at: time),
        Sample(type: "ph", value: 7, at: time), Sample(type: "a_new_type", value: -0.25, at: time),
      ])
    #expect(reply.status == 200)
    let expected = ["a_new_type -0.25", "ph 7.0", "soil_moisture 2.5"]
    #expect(try holds { try latest(device.owner, device.garden) == expected })
    // A reading that arrives later, but was measured before, is not newer.
    #expect(try device.post(device.client, [Sample(value: 9, at: time.advanced(byMilliseconds: -2))]).status == 200)
    #expect(try device.post(device.client, [Sample(type: "rain", value: 0, at: time)]).status == 200)
    #expect(try holds { try latest(device.owner, device.garden).contains("rain 0.0") })
    #expect(try latest(device.owner, device.garden) == ["a_new_type -0.25", "ph 7.0", "rain 0.0", "soil_moisture 2.5"])
    let items = try #require(try device.owner.get(path).json["items"]?.elements)
    #expect(items[3]["deviceId"]?.text == "\(device.id)")
    #expect(items[3]["measuredAt"]?.text == "\(time)")
    #expect(items.map { $0["unit"] } == [.null, .null, .string("mm"), .string("%")])
    let tag = try #require(try device.owner.get(path).header("etag"))
    #expect(try device.owner.get(path, headers: ["If-None-Match: \(tag)"]).status == 304)
  }

  @Test("are for the owner, and for anyone if the garden is public")
  func access() throws {
    let device = try TestDevice(server)
    let path = "/api/gardens/\(device.garden)/latest"
    let (stranger, _) = try server.signedIn()
    for client in [Client(server), stranger, device.client] { #expect(try client.get(path).status == 404) }
    #expect(try device.owner.patch("/api/gardens/\(device.garden)", #"{"public":true}"#).status == 200)
    for client in [Client(server), stranger, device.client, device.owner] {
      #expect(try client.get(path).status == 200)
    }
    #expect(try Client(server).get("/api/gardens/\(TestDevice.newIdentifier())/latest").status == 404)
    #expect(try Client(server).get("/api/gardens/x/latest").status == 404)
  }

  @Test("are the same on all loops and replicas, and without Redis")
  func replicas() throws {
    let (replica, plain) = (try server.replica(), try server.replica(["CACHE": "off"]))
    defer {
      replica.stop()
      plain.stop()
    }
    let device = try TestDevice(server)
    let token = try #require(device.owner.token)
    let readers = server.clients(6, token: token) + replica.clients(6, token: token) + plain.clients(2, token: token)
    let writers = [server, replica, plain].map { Client($0, token: device.key.text) }
    for round in 1...12 {
      let sample = Sample(value: Double(round), at: at(100 - Int64(round)))
      #expect(try device.post(writers[round % 2], [sample]).status == 200)
      for reader in readers {
        #expect(try holds { try latest(reader, device.garden) == ["soil_moisture \(Double(round))"] })
      }
    }
  }

  @Test("are found in SQL however old they are, and however many sensors there are")
  func sql() throws {
    let plain = try server.replica(["CACHE": "off"])
    defer { plain.stop() }
    let device = try TestDevice(server)
    let reader = Client(plain, token: device.owner.token)
    var samples = (0..<60).map { Sample(type: "t\($0)", value: Double($0), at: at(Int64($0))) }
    // One type that was rolled up long ago, one that the owner has named, and one that was measured yesterday.
    samples.append(Sample(type: "rolled", value: 1, at: at(20 * 86_400)))
    samples.append(Sample(type: "named", value: 2, at: at(10 * 86_400)))
    samples.append(Sample(type: "yesterday", value: 3, at: at(23 * 3_600)))
    #expect(try device.post(device.client, samples).status == 200)
    #expect(
      try device.owner.patch("/api/devices/\(device.id)", #"{"sensorTypes":["named","never"]}"#).status == 200)
    let id = device.id
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO readings_1h (device_id, sensor_type, start, min, max, sum, count)
        VALUES (\(id), 'rolled', now() - interval '20 days', 1, 1, 1, 1) ON CONFLICT DO NOTHING
        """)
    }
    let found = try latest(reader, device.garden)
    #expect(Set(found) == Set(samples.map { "\($0.type) \($0.value)" }))
    #expect(found.count == samples.count)
  }

  @Test("include a new sensor whose first readings come days late, even if they are asked for right after")
  func late() throws {
    let device = try TestDevice(server)
    let samples = [
      Sample(type: "late", value: 1, at: at(3 * 86_400)), Sample(type: "later", value: 2, at: at(9 * 86_400)),
    ]
    #expect(try device.post(device.client, samples).status == 200)
    for client in server.clients(6, token: device.owner.token) {
      #expect(try holds { try latest(client, device.garden) == ["late 1.0", "later 2.0"] })
    }
  }

  @Test("are deleted with their device")
  func deletion() throws {
    let device = try TestDevice(server)
    #expect(try device.post(device.client, [Sample(value: 1, at: at(5))]).status == 200)
    #expect(try holds { try latest(device.owner, device.garden).count == 1 })
    #expect(try device.owner.delete("/api/devices/\(device.id)").status == 204)
    for client in server.clients(6, token: device.owner.token) {
      #expect(try latest(client, device.garden) == [])
    }
  }

  @Test("are kept in Redis, and no longer trusted after the connection was lost")
  func epoch() throws {
    let alone = try LiveServer(["REDIS_URL": try TestStores.redisURL(database: 5), "DATABASE_URL": server.databaseURL])
    defer { alone.stop() }
    let device = try TestDevice(alone)
    let client = device.client
    #expect(try device.post(client, [Sample(value: 1, at: at(5))]).status == 200)
    #expect(try holds { try latest(device.owner, device.garden) == ["soil_moisture 1.0"] })
    // Inserts a reading behind the server's back, which is not seen once the server keeps the latest readings.
    let id = device.id
    var value = 1.0
    let isKept = try holds {
      let before = try latest(device.owner, device.garden)
      value += 1
      try alone.withDatabase { [value] database in
        try await database.execute(
          """
          INSERT INTO readings (device_id, sensor_type, measured_at, value)
          VALUES (\(id), 'soil_moisture', clock_timestamp(), \(value))
          """)
      }
      return try latest(device.owner, device.garden) == before
    }
    #expect(isKept)
    try RedisWire().breakConnections(database: 5)
    #expect(try holds { try latest(device.owner, device.garden) == ["soil_moisture \(value)"] })
  }

  @Test("keep the later time, whether a commit or SQL comes first, once a client has asked for them")
  func merge() throws {
    let redis = try RedisWire()
    let base = "test-\(TestDevice.newIdentifier())"
    let keys = ["3", "\(base)e", "\(base)g", base]
    // An epoch begins with the mark of commits, eight bytes.
    try redis.send("SET", "\(base)e", "JJJJJJJJK")
    let hash = "\(base)4a4a4a4a4a4a4a4a4b:"
    func merge(_ time: Int, _ value: String, making made: String = "0") throws {
      let reply = try redis.send(["EVAL", LatestScripts.merge.text] + keys + [made, "1", "d t", "\(time)", value])
      #expect(reply == "0")
    }
    func fill(_ time: Int, _ value: String) throws {
      try redis.send("EVAL", LatestScripts.fill.text, "1", hash, "60000", "1", "d t", "\(time)", value)
    }
    func kept() throws -> String { try redis.send("HGET", hash, "d t") }
    func wanted() throws -> String { try redis.send(["EVAL", LatestScripts.wanted.text] + keys) }
    // Until a client asks, neither a commit nor a late answer of SQL makes a hash.
    try merge(1_000, "1")
    try fill(1_000, "1")
    #expect(try redis.send("EXISTS", hash) == "0")
    #expect(try wanted() == "")
    try redis.send(["EVAL", LatestScripts.read.text] + keys + ["60000", "another1"])
    #expect(try wanted() == "")
    try redis.send(["EVAL", LatestScripts.read.text] + keys + ["60000", "JJJJJJJJ"])
    #expect(try wanted() == "1")
    try merge(2_000, "2")
    #expect(try redis.send("HEXISTS", hash, "whole") == "0")
    try fill(1_000, "1")
    #expect(try kept() == "2000 2")
    try merge(1_500, "1.5")
    #expect(try kept() == "2000 2")
    try merge(10_000, "10")
    #expect(try kept() == "10000 10")
    try fill(11_000, "-1e-300")
    #expect(try kept() == "11000 -1e-300")
    #expect(try redis.send("HEXISTS", hash, "whole") == "1")
    #expect(try redis.send("PTTL", hash) != "-1")
    // The commit of a reading that SQL may not find yet makes a hash, which has still to be filled.
    try redis.send("DEL", hash)
    try merge(500, "0.5", making: "60000")
    #expect(try wanted() == "1")
    #expect(try redis.send("PTTL", hash) != "-1")
    #expect(try redis.send("HEXISTS", hash, "whole") == "0")
    #expect(try kept() == "500 0.5")
  }
}
