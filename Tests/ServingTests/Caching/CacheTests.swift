import Faults
import Glibc
import Reactor
import Testing
import Values

@testable import Settings

@Suite("The cache")
struct CacheTests {
  /// What is promised, in nanoseconds.
  private static let promiseNanoseconds: UInt64 = 1_000_000_000

  /// Reads over and over from when a change was answered: nobody reads something else once the promised time is over.
  /// Gives as soon as all have seen it ten times in a row.
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
      // Without a breath these readers are what the change waits for.
      usleep(5_000)
    }
    return true
  }

  /// What a Redis refuses and what heals it.
  private static let refusals = [
    (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
    (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
    (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
    (["ACL", "SETUSER", "default", "-set"], ["ACL", "SETUSER", "default", "+set"]),
  ]

  @Test("shows no old price on any loop when Redis takes no writes, and heals with it", arguments: refusals)
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
    // Healed once an answer is kept again.
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

  @Test("of a replica shows nothing old although another one, which changes it, has lost Redis")
  func lostRedis() throws {
    let url = try TestStores.redisURL
    let proxy = try Proxy(before: url)
    defer { proxy.become(.stop) }
    let writer = try LiveServer(["REDIS_URL": proxy.url(for: url)])
    defer { writer.stop() }
    // Whoever watches is not looked at again by the clock, either.
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

  @Test("answers nothing old while its own way to Postgres is cut, by which it would hear of changes")
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
}
