import Redis
import Testing

@Suite("A Redis URL")
struct RedisAddressTests {
  @Test(
    "names endpoint, credentials and database",
    arguments: [
      ("redis://localhost", RedisAddress(endpoint: .tcp(host: "localhost", port: 6379))),
      ("redis://localhost/", RedisAddress(endpoint: .tcp(host: "localhost", port: 6379))),
      ("REDIS://10.0.0.7:6380/3", RedisAddress(endpoint: .tcp(host: "10.0.0.7", port: 6380), database: 3)),
      (
        "redis://:secret@cache:6379",
        RedisAddress(endpoint: .tcp(host: "cache", port: 6379), password: "secret")
      ),
      (
        "redis://ann:p%40ss%3Aword@cache/15",
        RedisAddress(endpoint: .tcp(host: "cache", port: 6379), user: "ann", password: "p@ss:word", database: 15)
      ),
      (
        "redis://ann:p@ss:word@cache",
        RedisAddress(endpoint: .tcp(host: "cache", port: 6379), user: "ann", password: "p@ss:word")
      ),
      ("redis://[::1]:7000", RedisAddress(endpoint: .tcp(host: "::1", port: 7000))),
      ("redis://[fe80::1]/2", RedisAddress(endpoint: .tcp(host: "fe80::1", port: 6379), database: 2)),
      (
        "rediss://:secret@cache/2",
        RedisAddress(endpoint: .tcp(host: "cache", port: 6379), password: "secret", database: 2, isEncrypted: true)
      ),
      ("unix:///run/redis.sock", RedisAddress(endpoint: .unix(path: "/run/redis.sock"))),
      ("unix:///run/my%20redis.sock?db=4", RedisAddress(endpoint: .unix(path: "/run/my redis.sock"), database: 4)),
      ("unix://:pw@/r.sock", RedisAddress(endpoint: .unix(path: "/r.sock"), password: "pw")),
    ] as [(String, RedisAddress)])
  func reads(url: String, expected: RedisAddress) throws {
    #expect(try RedisAddress(url: url) == expected)
  }

  @Test(
    "is refused with a sentence that says why and does not repeat the password",
    arguments: [
      ("", "not a URL"), ("localhost:6379", "not a URL"), ("http://localhost", "scheme \"http\""),
      ("tls://ann:hunter2@cache", "scheme \"tls\""), ("redis://", "no host"), ("redis://:6379", "no host"),
      ("redis://ann:hunter2@", "no host"), ("redis://cache:", "port"), ("redis://cache:0", "port"),
      ("redis://cache:65536", "port"), ("redis://cache:+1", "port"), ("redis://ann:hunter2@cache:x", "port"),
      ("redis://cache/x", "database"), ("redis://cache/-1", "database"), ("redis://cache/1/2", "database"),
      ("redis://cache/99999999999999999999", "database"), ("redis://hunter2@cache", "user without a password"),
      ("redis://ann:hunter2%@cache", "percent sign"), ("redis://ann:hunter2%zz@cache", "percent sign"),
      ("redis://ann:hunter2%ff@cache", "not text"), ("redis://ann:hunter2%00@cache", "not text"),
      ("redis://[::1", "unclosed"), ("redis://[::1]x", "after ]"), ("unix://relative", "absolute path"),
      ("unix:///r.sock?x=1", "query"), ("unix:///r.sock?db=x", "database"),
      ("unix:///" + String(repeating: "x", count: 200), "107 bytes"),
    ])
  func refuses(url: String, part: String) {
    let error = #expect(throws: RedisAddressError.self) { try RedisAddress(url: url) }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("hunter2") == false)
  }

  @Test(
    "is shown without user and password",
    arguments: [
      "redis://[::1]:6379/0", "rediss://cache:6379/0", "redis://cache:7000/2", "unix:///r.sock", "unix:///r.sock?db=3",
    ])
  func shown(url: String) throws {
    #expect(try RedisAddress(url: url).description == url)
    let signed = url.replacing("://", with: "://ann:hunter2@", maxReplacements: 1)
    #expect(try RedisAddress(url: signed).description == url)
  }
}
