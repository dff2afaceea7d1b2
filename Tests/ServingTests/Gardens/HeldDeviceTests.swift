import Postgres
import Reactor
import Testing
import Values

@Suite("While a device is being erased", .blocking)
struct HeldDeviceTests {
  /// What is known of a device: how many readings are in its buckets, and whether it has been heard of.
  private struct Known: Equatable {
    let count: Double
    let isSeen: Bool

    init(count: Double, isSeen: Bool) { (self.count, self.isSeen) = (count, isSeen) }

    init(_ device: TestDevice) throws {
      let end = Clock.unixMilliseconds()
      count = try device.buckets("5m", from: end - 3_600_000, to: end).reduce(0) { $0 + $1.numbers[3] }
      isSeen = try device.owner.get("/api/devices/\(device.id)").json["lastSeenAt"]?.text != nil
    }
  }

  @Test("others get their buckets and last-seen times, and so does it if it stays", arguments: [true, false])
  func others(_ stays: Bool) throws {
    let server = try LiveServer()
    defer { server.stop() }
    let devices = try (0..<2).map { _ in try TestDevice(server) }
    let (held, other, id) = (devices[0], devices[1], devices[0].id)
    // Their sensor types are noted first, so that no later request waits to note them.
    let first = Sample(value: 7, at: Timestamp(unixMilliseconds: Clock.unixMilliseconds() - 600_000))
    for device in devices { #expect(try device.post(device.client, [first]).status == 200) }
    #expect(try holds { try devices.allSatisfy { try Known($0) == Known(count: 1, isSeen: true) } })
    try server.withDatabase { database in
      try await database.execute("UPDATE devices SET last_seen_at = NULL")
      try await database.transaction { transaction in
        try await transaction.execute("SELECT 1 FROM devices WHERE id = \(id) FOR UPDATE")
        for device in devices { #expect(try device.post(device.client, Sample.series(3)).receipt == [3, 0]) }
        #expect(try holds(within: 20) { try Known(other) == Known(count: 4, isSeen: true) })
        #expect(try Known(held) == Known(count: 1, isSeen: false))
        if stays { return }
        for (table, column) in [("devices", "id"), ("readings_5m", "device_id"), ("readings_1h", "device_id")] {
          try await transaction.execute("DELETE FROM \(unescaped: table) WHERE \(unescaped: column) = \(id)")
        }
      }
    }
    if stays {
      #expect(try holds { try Known(held) == Known(count: 4, isSeen: true) })
    } else {
      #expect(try holds { try RollupTests.isDone(with: id, server) })
      let left = try server.withDatabase { database in
        try await database.query("SELECT count(*) FROM readings_5m WHERE device_id = \(id)")[0].decode(Int.self, 0)
      }
      #expect(left == 0)
    }
  }

  @Test("its readings of new sensor types are refused without waiting: others' would wait behind them")
  func newTypes() throws {
    let device = try TestDevice(try LiveServer.shared.get())
    let id = device.id
    let reply = try device.server.answer(
      to: { try device.post(device.client, Sample.series(1)) },
      before: { try await $0.execute("SELECT FROM devices WHERE id = \(id) FOR UPDATE") })
    #expect(reply.status == 503)
    #expect(try device.post(device.client, Sample.series(1)).receipt == [1, 0])
  }
}
