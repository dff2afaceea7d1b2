import Glibc

/// Where the private stores are that the test command starts.
enum TestStores {
  struct Missing: Error, CustomStringConvertible {
    let description =
      "DATABASE_URL and REDIS_URL are not set: run the tests by `make test`, which starts private stores."
  }

  static var databaseURL: String { get throws { try variable("DATABASE_URL") } }
  static var redisURL: String { get throws { try variable("REDIS_URL") } }

  /// Whether a database is on the Postgres that all tests share: nobody stops that, so what it answers late is late
  /// because the machine is busy.
  static func areShared(_ url: String) throws -> Bool {
    let base = try databaseURL
    return url.hasPrefix(base[...base.lastIndex(of: "/")!])
  }

  static func variable(_ name: String) throws -> String {
    guard let value = getenv(name) else { throw Missing() }
    return String(cString: value)
  }
}
