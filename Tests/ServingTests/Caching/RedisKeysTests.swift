import Testing

@testable import Settings

/// Redis evicts nothing, so keys without an expiry would fill it.
@Suite("What is kept in Redis", .blocking)
struct RedisKeysTests {
  /// The beginnings of the names of all keys, after the server's prefix.
  private static let kinds = [
    "epoch", "events:", "g:", "latest:", "rate:anonymous:", "rate:device:", "rate:user:", "session:",
    "signin:attempts:", "signin:failures:", "stored:", "trial", "v:",
  ]

  /// The keys of a server that were seen, without its prefix.
  private final class Seen {
    let prefix: String
    private(set) var names: Set<String> = []
    /// The keys without an expiry.
    private(set) var endless: Set<String> = []

    init(_ server: LiveServer) { prefix = server.configuration.redis.keyPrefix }

    /// Notes the keys that exist at the moment.
    func look() throws {
      let script = """
        local lines = {}
        for i, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do lines[i] = redis.call('TTL', key) .. ' ' .. key end
        return table.concat(lines, '\\n')
        """
      for line in try RedisWire().send("EVAL", script, "0", prefix).split(separator: "\n") {
        let (end, key) = (line.prefix { $0 != " " }, String(line.drop { $0 != " " }.dropFirst(1 + prefix.count)))
        names.insert(key)
        if end == "-1" { endless.insert(key) }
      }
    }

    var kinds: Set<String> { Set(RedisKeysTests.kinds.filter { kind in names.contains { $0.hasPrefix(kind) } }) }
  }

  @Test("expires, except for the epoch of the whole cache")
  func ends() throws {
    let rate = "100000/60"
    let server = try LiveServer([
      "DATABASE_REPLICA_URL": try TestDatabase.makeMigrated(), "RATE_LIMIT_ANONYMOUS": rate, "RATE_LIMIT_USER": rate,
      "RATE_LIMIT_DEVICE": rate, "NOTIFICATIONS": "off",
    ])
    defer { server.stop() }
    let (shop, device) = (try Shop(server), try TestDevice(server))
    let product = try shop.offer(stock: 2_000)
    let wrong = #"{"email":"a@example.org","password":"not this one, no"}"#
    let stream = try EventStream(server, "\(device.garden)", token: device.owner.token)
    #expect(stream.status == 200)
    let seen = Seen(server)
    // Some expire within a second or two, so that not all exist at the same time.
    let all = Set(Self.kinds)
    _ = try holds {
      _ = try device.post(device.client, Sample.series(1))
      _ = try device.owner.get("/api/gardens/\(device.garden)/latest")
      _ = try device.owner.order(shop.id, [(product, 1)])
      _ = try device.owner.get("/api/products/\(product)")
      _ = try Client(server).post("/api/sessions", wrong)
      try seen.look()
      return seen.kinds.isSuperset(of: all.subtracting(["signin:attempts:"]))
    }
    _ = try holds(within: 3) {
      // While it waits for the table of accounts, the sign-in is in flight.
      _ = try server.answer(
        to: { try Client(server).post("/api/sessions", wrong.replacing("a@", with: "b@")) },
        before: { try await $0.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE") },
        meanwhile: { _ in try seen.look() })
      return seen.kinds == all
    }
    #expect(seen.kinds == all)
    #expect(seen.names.filter { name in !Self.kinds.contains { name.hasPrefix($0) } } == [])
    #expect(seen.endless == ["epoch"])
  }
}
