import Glibc
import Values

/// The private stores that the test command starts.
enum TestStores {
  struct Missing: Error, CustomStringConvertible {
    let description =
      "DATABASE_URL and REDIS_URL are not set: run the tests by `make test`, which starts private stores."
  }

  static var databaseURL: String { get throws { try variable("DATABASE_URL") } }
  static var redisURL: String { get throws { try variable("REDIS_URL") } }

  /// The variables of a server that uses a database and has keys of its own in the Redis that all tests share.
  static func variables(for url: String) throws -> [String: String] {
    var variables = [
      "DATABASE_URL": url, "REDIS_URL": try redisURL,
      "REDIS_PREFIX": "test-\(Identifier.make(unixMilliseconds: 0)):",
    ]
    // No test stops the Postgres that all share: where it answers late, the machine is busy.
    let base = try databaseURL
    if url.hasPrefix(base[...base.lastIndex(of: "/")!]) {
      variables["DATABASE_STATEMENT_TIMEOUT_MILLISECONDS"] = "20000"
    }
    return variables
  }

  static func variable(_ name: String) throws -> String {
    guard let value = getenv(name) else { throw Missing() }
    return String(cString: value)
  }
}
