import Postgres
import Redis

extension Configuration {
  /// PostgreSQL, and the connections of each loop to it.
  package struct Database: Sendable {
    /// For libpq; holds a password.
    package internal(set) var url = ""
    package internal(set) var replicaURL: String?
    package internal(set) var migratesOnStart = false
    package internal(set) var readers = 0
    package internal(set) var longReaders = 0
    package internal(set) var writers = 0
    package internal(set) var transactionConnections = 0
    package internal(set) var statementTimeoutMilliseconds = 0
    package internal(set) var connectTimeoutMilliseconds = 0

    static let settings = [
      Setting(
        "DATABASE_URL", \.database.url, .databaseURL,
        default: .relaxed("postgresql://terroir@127.0.0.1:5432/terroir", serious: nil), isSecret: true,
        "PostgreSQL: a URL as libpq takes it."),
      Setting(
        "DATABASE_REPLICA_URL", optional: \.database.replicaURL, .databaseURL, isSecret: true,
        "A replica from which histories of readings are read as long as it does not lag; may name several hosts."),
      Setting(
        "MIGRATE_ON_START", \.database.migratesOnStart, .flag, default: .text("on"),
        "Whether `terroir serve` migrates the database first; if `off`, it waits until `terroir migrate` has."),
      Setting(
        "DATABASE_READERS", \.database.readers, .integer(1...64), default: .text("2"),
        "Pipelined connections for reads, per event loop."),
      Setting(
        "DATABASE_LONG_READERS", \.database.longReaders, .integer(1...64), default: .text("1"),
        """
        Connections for history, charts, summaries, searches and lists of orders, each for one read at a time, per event \
        loop.
        """),
      Setting(
        "DATABASE_WRITERS", \.database.writers, .integer(1...64), default: .text("2"),
        "Pipelined connections for single writes, per event loop."),
      Setting(
        "DATABASE_TRANSACTION_CONNECTIONS", \.database.transactionConnections, .integer(1...64), default: .text("4"),
        """
        Connections for transactions and streams, per event loop, opened as needed. With only one, most changes on its \
        loop are refused while an export or import lasts.
        """),
      Setting(
        "DATABASE_STATEMENT_TIMEOUT_MILLISECONDS", \.database.statementTimeoutMilliseconds, .integer(100...600_000),
        default: .text("3000"), "How long a statement may take before Postgres cancels it."),
      Setting(
        "DATABASE_CONNECT_TIMEOUT_MILLISECONDS", \.database.connectTimeoutMilliseconds, .integer(100...60_000),
        default: .text("3000"), "How long one attempt to connect may take."),
    ]
  }

  /// Redis, and what is done with it.
  package struct Redis: Sendable {
    /// Holds a password.
    package internal(set) var address = RedisAddress(endpoint: .tcp(host: "", port: 0))
    /// Nil for the machine's authorities.
    package internal(set) var trust: TLSTrust?
    package internal(set) var commandTimeoutMilliseconds = 0
    package internal(set) var connectTimeoutMilliseconds = 0
    package internal(set) var keyPrefix = ""
    /// Whether answers are kept.
    package internal(set) var caches = false
    /// The bounds of the answers that all loops together remember.
    package internal(set) var memoryBytes = 0
    package internal(set) var memoryEntries = 0

    static let settings = [
      Setting(
        "REDIS_URL", \.redis.address, .redisURL, default: .relaxed("redis://127.0.0.1:6379/0", serious: nil),
        isSecret: true,
        "Redis: redis://[user:password@]host[:port][/database], rediss:// for TLS, or unix:///path."),
      Setting(
        "REDIS_CA", optional: \.redis.trust, .authorities,
        "Certificates, in PEM, of the authorities that TLS to Redis trusts, instead of the machine's."),
      Setting(
        "REDIS_COMMAND_TIMEOUT_MILLISECONDS", \.redis.commandTimeoutMilliseconds, .integer(10...60_000),
        default: .text("500"), "How long a command may wait for its answer before the connection counts as dead."),
      Setting(
        "REDIS_CONNECT_TIMEOUT_MILLISECONDS", \.redis.connectTimeoutMilliseconds, .integer(10...60_000),
        default: .text("500"), "How long one attempt to connect may take."),
      Setting(
        "REDIS_PREFIX", \.redis.keyPrefix, .text(64), default: .text("terroir:"),
        "The prefix of all keys."),
      Setting("CACHE", \.redis.caches, .flag, default: .text("on"), "Whether answers are cached in Redis."),
      Setting(
        "CACHE_MEMORY", \.redis.memoryBytes, .bytes(0...1 << 40), default: .text("16MiB"),
        "The memory for cached answers that are served without asking Redis, until it invalidates them; 0 for none."
      ),
      Setting(
        "CACHE_MEMORY_ENTRIES", \.redis.memoryEntries, .integer(0...10_000_000), default: .text("10000"),
        "The most answers in that memory."),
    ]
  }
}

extension Form where Value == String {
  /// Where PostgreSQL is: a libpq URI, of which several hosts may be named. Shown without its passwords.
  static var databaseURL: Form {
    Form(
      parse: { text throws(InvalidText) in
        let isURL = text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
        guard isURL, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
          throw InvalidText("is not a URL such as postgresql://user:password@host:5432/database")
        }
        do throws(ConnectionStringError) {
          try DatabaseConfiguration.check(url: text)
        } catch {
          throw InvalidText(error.description)
        }
        return text
      }, show: { SecretText.masked(url: $0) })
  }
}

extension Form where Value == RedisAddress {
  /// Where Redis is. Shown without its password.
  static var redisURL: Form {
    Form(
      parse: { text throws(InvalidText) in
        do throws(RedisAddressError) {
          return try RedisAddress(url: text)
        } catch {
          throw InvalidText(error.description)
        }
      },
      show: { address in
        address.description(
          login: address.password.map { _ in "\(address.user ?? ""):\(SecretText.mask)@" } ?? "")
      })
  }
}

extension Form where Value == TLSTrust {
  /// Certificates of authorities. Shown by their number.
  static var authorities: Form {
    Form(
      "a list of certificates in PEM", parse: { TLSTrust(pem: $0) },
      show: { "\($0.count) certificate\($0.count == 1 ? "" : "s")" })
  }
}
