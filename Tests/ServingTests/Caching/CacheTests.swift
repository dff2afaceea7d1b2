import Faults
import Glibc
import Reactor
import Synchronization
import Testing
import Values

@testable import Settings
@testable import Web

@Suite("The cache", .blocking)
struct CacheTests {
  /// How long a change may remain unseen on other servers, as promised, in nanoseconds.
  private static let promiseNanoseconds: UInt64 = 1_000_000_000

  /// Reads again and again after a change was acknowledged, until all readers have seen it ten times in a row. Returns
  /// false if one does not see it in a request that began after the promised time.
  private static func all(_ readers: [Client], see isNew: (Client) throws -> Bool) throws -> Bool {
    let answered = Clock.monotonic()
    var inARow = 0
    while inARow < 10 {
      for reader in readers {
        let asked = Clock.monotonic()
        let sees = try isNew(reader)
        if !sees, asked > answered + promiseNanoseconds { return false }
        inARow = sees ? inARow : -1
      }
      inARow += 1
      // Without a pause, the change would wait for these very readers.
      usleep(5_000)
    }
    return true
  }

  /// Commands that make a Redis refuse writes, and those that heal it.
  private static let refusals = [
    (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
    (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
    (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
    (["ACL", "SETUSER", "default", "-set"], ["ACL", "SETUSER", "default", "+set"]),
  ]

  @Test("shows no stale price on any loop while Redis refuses writes, and recovers with it", arguments: refusals)
  func refusingRedis(_ fault: [String], _ cure: [String]) throws {
    let store = try PrivateServer()
    let url = "redis://127.0.0.1:\(store.port)/0"
    let writer = try LiveServer(["REDIS_URL": url])
    defer { writer.stop() }
    let reader = try writer.replica(["REDIS_URL": url])
    defer { reader.stop() }
    let shop = try Shop(writer)
    let product = try shop.offer(amount: 1)
    let path = "/api/products/\(product)"
    let readers = writer.clients(4) + reader.clients(4)
    for _ in 0..<2 { for client in readers { #expect(try client.get(path).status == 200) } }

    let redis = try RedisWire(port: store.port)
    #expect(try redis.send(fault) == "OK")
    for price in 2...4 {
      #expect(try shop.owner.patch(path, #"{"price":{"amount":\#(price),"currency":"EUR"}}"#).status == 200)
      #expect(try Self.all(readers) { try $0.get(path).text.contains(#""amount":\#(price),"#) })
    }
    #expect(try redis.send(cure) == "OK")
    // The cache has healed once an answer is kept again.
    let kept = "\(writer.configuration.redis.keyPrefix)v:product:\(product)"
    try redis.send("DEL", kept)
    var isKept = false
    for _ in 0..<5_000 where !isKept {
      for client in readers { _ = try client.get(path) }
      isKept = try redis.send("EXISTS", kept) == "1"
    }
    #expect(isKept)
    #expect(try shop.owner.patch(path, #"{"price":{"amount":5,"currency":"EUR"}}"#).status == 200)
    #expect(try Self.all(readers) { try $0.get(path).text.contains(#""amount":5,"#) })
  }

  @Test("of a replica shows nothing stale although the replica that makes the changes has lost Redis")
  func lostRedis() throws {
    let url = try TestStores.redisURL
    let proxy = try Proxy(before: url)
    defer { proxy.become(.stop) }
    let writer = try LiveServer(["REDIS_URL": proxy.url(for: url)])
    defer { writer.stop() }
    // With a long heartbeat, watchers are not checked periodically, either.
    let reader = try writer.replica(["REDIS_URL": url, "EVENTS_HEARTBEAT_SECONDS": "30"])
    defer { reader.stop() }
    let shop = try Shop(writer)
    let product = "/api/products/\(try shop.offer(amount: 1))"
    let id = try shop.owner.makeGarden(#"{"name":"Open","public":true}"#)
    let garden = "/api/gardens/\(id)"
    let stream = try EventStream(reader, id)
    let readers = reader.clients(4)
    for _ in 0..<2 {
      for client in readers { for path in [product, garden] { #expect(try client.get(path).status == 200) } }
    }
    proxy.become(.refuse)
    for price in 2...4 {
      #expect(try shop.owner.patch(product, #"{"price":{"amount":\#(price),"currency":"EUR"}}"#).status == 200)
      #expect(try Self.all(readers) { try $0.get(product).text.contains(#""amount":\#(price),"#) })
    }
    #expect(try shop.owner.patch(garden, #"{"public":false}"#).status == 200)
    #expect(try Self.all(readers) { try $0.get(garden).status == 404 })
    #expect(try stream.next() == nil && stream.isWhole)
    proxy.become(.forward)
  }

  @Test("is invalidated by each process that starts, since one that was killed may not have announced a change")
  func start() throws {
    let writer = try LiveServer()
    defer { writer.stop() }
    let shop = try Shop(writer)
    for client in writer.clients(4) { #expect(try client.get(shop.path).status == 200) }
    // As left by a process that was killed between the COMMIT and what follows it.
    let id = shop.id
    try writer.withDatabase { database in
      try await database.execute("UPDATE businesses SET name = 'New Farm' WHERE id::text = \(id)")
    }
    #expect(try !writer.clients(4).contains { try $0.get(shop.path).text.contains("New Farm") })
    let restarted = try writer.replica()
    defer { restarted.stop() }
    #expect(try Self.all(restarted.clients(4) + writer.clients(4)) { try $0.get(shop.path).text.contains("New Farm") })
  }

  @Test("answers nothing stale while the server's connection to Postgres is cut, through which it hears of changes")
  func lostPostgres() throws {
    let url = try TestDatabase.make()
    let proxy = try Proxy(before: url)
    defer { proxy.become(.stop) }
    let writer = try LiveServer(["DATABASE_URL": url])
    defer { writer.stop() }
    let reader = try writer.replica(["DATABASE_URL": proxy.url(for: url)])
    defer { reader.stop() }
    let shop = try Shop(writer)
    let readers = reader.clients(4)
    for _ in 0..<2 { for client in readers { #expect(try client.get(shop.path).status == 200) } }
    proxy.become(.refuse)
    #expect(try Self.all(readers) { try $0.get(shop.path).status == 503 })
    #expect(try shop.owner.patch(shop.path, #"{"name":"New Farm"}"#).status == 200)
    proxy.become(.forward)
    for client in readers {
      var reply = try client.get(shop.path)
      for _ in 0..<5_000 where reply.status == 503 {
        usleep(2_000)
        reply = try client.get(shop.path)
      }
      #expect(reply.text.contains("New Farm"))
    }
  }

  /// How often Redis was asked for kept answers.
  private static func lookups(_ server: LiveServer) throws -> Int {
    try server.metric(#"redis_command_duration_seconds_count{command="MGET"}"#)
  }

  @Test("answers from a loop's memory what is asked for often, without Redis, until it may have changed")
  func memory() throws {
    let server = try LiveServer(["WORKERS": "1"])
    defer { server.stop() }
    let shop = try Shop(server)
    let path = "/api/products/\(try shop.offer(amount: 1))"
    let (client, other) = (Client(server), try server.signedIn().client)
    /// Whether a round of requests hardly asks Redis; on a busy machine it may take some rounds until it does not.
    func isRemembered(by client: Client, headers: [String] = []) throws -> Bool {
      try holds(within: 60) {
        let before = try Self.lookups(server)
        for _ in 0..<100 { #expect(try client.get(path, headers: headers).text.contains(#""amount":1,"#)) }
        return try Self.lookups(server) < before + 20
      }
    }
    // An answer that is the same for everyone is remembered, whoever asks.
    for reader in [other, client] { #expect(try isRemembered(by: reader)) }
    // Cookies that are not ours do not identify a caller.
    #expect(try isRemembered(by: client, headers: ["Cookie: _ga=GA1.1.444; _pk_id=1"]))
    let reply = try client.get(path)
    let tag = try #require(reply.header("etag"))
    #expect(reply.header("cache-control") == "no-cache" && reply.header("content-type") == "application/json")
    #expect(try client.get(path, headers: ["If-None-Match: \(tag)"]).status == 304)
    #expect(try shop.owner.get(path).header("cache-control") == "private, no-cache")
    let head = try client.send("HEAD", path)
    #expect(head.body.isEmpty && head.header("content-length") == "\(reply.body.count)")
    let page = "/api/businesses?limit=1"
    _ = try Shop(server)
    let pages = try (0..<20).map { _ in try client.get(page) }
    #expect(pages.allSatisfy { $0.header("link") == pages[0].header("link") && $0.header("link") != nil })
    // A change drops the answer from memory as well as from Redis.
    #expect(try shop.owner.patch(path, #"{"price":{"amount":2,"currency":"EUR"}}"#).status == 200)
    #expect(try client.get(path).text.contains(#""amount":2,"#))
  }

  /// The prices whose setting was answered, and when.
  private final class Prices: Sendable {
    private let answered = Mutex<[(price: Int, at: UInt64)]>([])
    let isOver = Atomic<Bool>(false)

    func wasAnswered(_ price: Int) { answered.withLock { $0.append((price, Clock.monotonic())) } }

    /// The lowest price that a read may find which begins now, when a change may take `nanoseconds` to show.
    func lowest(after nanoseconds: UInt64) -> Int {
      let limit = Clock.monotonic() - nanoseconds
      return answered.withLock { answered in answered.last { $0.at <= limit }?.price ?? 0 }
    }

    static func read(_ client: Client, _ path: String) throws -> Int {
      Int(try client.get(path).json["price"]?["amount"]?.integer ?? -1)
    }
  }

  @Test("gives no answer older than a change that the same server has acknowledged, or another one a second ago")
  func hammering() throws {
    let writer = try LiveServer()
    defer { writer.stop() }
    let reader = try writer.replica()
    defer { reader.stop() }
    let shop = try Shop(writer)
    let path = "/api/products/\(try shop.offer(amount: 1))"
    let (prices, token) = (Prices(), shop.owner.token)
    let faults = try together(7) { index -> [String] in
      if index == 0 {
        defer { prices.isOver.store(true, ordering: .releasing) }
        let owner = Client(writer, token: token)
        for price in 2...200 {
          let reply = try owner.patch(path, #"{"price":{"amount":\#(price),"currency":"EUR"}}"#)
          if reply.status != 200 { return ["\(reply.status)"] }
          prices.wasAnswered(price)
          // Now and then a price stays long enough to be remembered.
          if price % 8 == 0 { usleep(20_000) }
        }
        return []
      }
      // Readers of the writer's own server, on both loops, must see each change at once.
      let (server, delay) = index <= 3 ? (writer, 0) : (reader, Self.promiseNanoseconds)
      let clients = server.clients(4)
      var faults: [String] = []
      while !prices.isOver.load(ordering: .acquiring) {
        for client in clients {
          let lowest = prices.lowest(after: delay)
          let price = try Prices.read(client, path)
          if price < lowest { faults.append("\(price) after \(lowest) on \(index)") }
        }
      }
      return faults
    }.flatMap { $0 }
    #expect(faults.isEmpty, "\(faults.prefix(5))")
    #expect(try Self.all(reader.clients(4)) { try Prices.read($0, path) == 200 })
  }

  @Test("forgets what it remembers when it no longer hears of changes", arguments: [true, false])
  func deafness(_ isFrozen: Bool) throws {
    let store = try PrivateServer()
    let url = "redis://127.0.0.1:\(store.port)/0"
    let proxy = try Proxy(before: url)
    defer { proxy.become(.stop) }
    let writer = try LiveServer(["REDIS_URL": url])
    defer { writer.stop() }
    let reader = try writer.replica(["REDIS_URL": proxy.url(for: url)])
    defer { reader.stop() }
    let shop = try Shop(writer)
    let path = "/api/products/\(try shop.offer(amount: 1))"
    let readers = reader.clients(4)
    for _ in 0..<100 { for client in readers { #expect(try Prices.read(client, path) == 1) } }
    let redis = try RedisWire(port: store.port)
    if isFrozen { proxy.become(.freeze) }
    for price in 2...4 {
      // Cuts only the connection by which messages come.
      if !isFrozen { try redis.send("CLIENT", "KILL", "TYPE", "pubsub") }
      #expect(try shop.owner.patch(path, #"{"price":{"amount":\#(price),"currency":"EUR"}}"#).status == 200)
      #expect(try Self.all(readers) { try Prices.read($0, path) == price })
    }
    proxy.become(.forward)
    #expect(try shop.owner.patch(path, #"{"price":{"amount":5,"currency":"EUR"}}"#).status == 200)
    #expect(try Self.all(readers) { try Prices.read($0, path) == 5 })
  }

  @Test("does not trust a commit mark that was read before a marked change was committed")
  func distrust() throws {
    let server = try LiveServer.shared.get()
    try server.withDatabase { database in
      let mark = CommitMark()
      #expect(mark.value(at: database.loop.now) == nil)
      try await mark.read(database)
      #expect(mark.value(at: database.loop.now) != nil)
      mark.distrust()
      #expect(mark.value(at: database.loop.now) == nil)
      // In another turn, since what was asked within the same one may be older than the change.
      await database.loop.sleep(nanoseconds: 1)
      try await mark.read(database)
      #expect(mark.value(at: database.loop.now) != nil)
    }
  }
}
