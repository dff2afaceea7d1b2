import Testing
import Values

@testable import API

@Suite("The cache")
struct CacheTests {
  @Test("shows nothing old when Redis takes no more writes")
  func fullRedis() throws {
    let url = try #require(ServiceURL(try TestStores.redisURL))
    let redis = try Wire(port: try #require(url.port))
    func command(_ text: String) throws {
      try redis.send("\(text)\r\n")
      #expect(try redis.take(until: Array("\r\n".utf8)).first != UInt8(ascii: "-"))
    }
    try command("AUTH \(url.password ?? "")")
    // A user who can be forbidden to write, as a full Redis forbids everyone.
    let user = "full-\(Identifier.make(unixMilliseconds: 1))"
    try command("ACL SETUSER \(user) on >secret ~* &* +@all")
    defer { try? command("ACL DELUSER \(user)") }

    let writer = try LiveServer(["REDIS_URL": "redis://\(user):secret@127.0.0.1:\(url.port ?? 0)/0"])
    defer { writer.stop() }
    let reader = try LiveServer([
      "DATABASE_URL": writer.databaseURL, "REDIS_PREFIX": writer.configuration.redis.keyPrefix,
    ])
    defer { reader.stop() }
    let shop = try Shop(writer)
    let clients = [Client(writer), Client(reader), Client(reader)]
    for _ in 0..<2 { for client in clients { #expect(try client.get(shop.path).status == 200) } }
    try command("ACL SETUSER \(user) -set")
    for round in 1...3 {
      #expect(try shop.owner.patch(shop.path, #"{"name":"Farm \#(round)"}"#).status == 200)
      for client in clients { #expect(try client.get(shop.path).text.contains("Farm \(round)")) }
    }
    try command("ACL SETUSER \(user) +set")
    #expect(try shop.owner.patch(shop.path, #"{"name":"Farm again"}"#).status == 200)
    for _ in 0..<2 { for client in clients { #expect(try client.get(shop.path).text.contains("Farm again")) } }
  }
}
