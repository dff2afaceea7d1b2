import HTTP
import Postgres
import Redis
import Secrets
import Settings

/// The configurations of the layers below.
extension Configuration {
  /// How long a write waits for a lock, in milliseconds: longer than a migration waits for its lock on a table, while
  /// all others queue behind it.
  private static let lockTimeoutMilliseconds = 750

  /// The pools of one loop.
  package var pool: DatabaseConfiguration {
    var pool = DatabaseConfiguration(url: database.url)
    pool.applicationName = service.name
    pool.readers = database.readers
    pool.writers = database.writers
    pool.transactionConnections = database.transactionConnections
    pool.statementTimeoutMilliseconds = database.statementTimeoutMilliseconds
    pool.lockTimeoutMilliseconds = Self.lockTimeoutMilliseconds
    pool.connectTimeoutMilliseconds = database.connectTimeoutMilliseconds
    return pool
  }

  /// The pool of one loop for long reads.
  var longPool: DatabaseConfiguration {
    var long = pool
    long.readers = database.longReaders
    long.writers = 0
    long.transactionConnections = 0
    return long
  }

  /// The pool of one loop for long reads of the replica; nil when there is none.
  var replicaPool: DatabaseConfiguration? {
    guard let url = database.replicaURL else { return nil }
    var replica = longPool
    replica.url = url
    return replica
  }

  /// The health check's own connection, on which a statement may take no longer than the check.
  package var probePool: DatabaseConfiguration {
    var probe = pool
    probe.applicationName = "terroir-health"
    (probe.readers, probe.writers, probe.transactionConnections) = (1, 0, 0)
    probe.statementTimeoutMilliseconds = health.timeoutMilliseconds
    probe.graceMilliseconds = 0
    return probe
  }

  /// The Redis connection of one loop.
  package var redisConnection: RedisConfiguration {
    var connection = RedisConfiguration(address: redis.address)
    connection.trust = redis.trust
    connection.commandDeadlineMilliseconds = UInt64(redis.commandTimeoutMilliseconds)
    connection.connectDeadlineMilliseconds = UInt64(redis.connectTimeoutMilliseconds)
    connection.trialKey = trialKey
    return connection
  }

  /// The key that is written to see whether a Redis takes writes.
  package var trialKey: String { "\(redis.keyPrefix)trial" }

  /// The memory for finished answers of one loop of `loops`.
  func answerMemory(loops: Int) -> AnswerMemory {
    AnswerMemory(maximumEntries: redis.memoryEntries / loops, maximumBytes: redis.memoryBytes / loops)
  }

  /// The bounds of the HTTP server of one loop of `loops`.
  package func limits(loops: Int) -> HTTPLimits {
    var limits = HTTPLimits()
    limits.headBytes = http.headBytes
    limits.targetBytes = http.targetBytes
    limits.headerFields = http.headerFields
    limits.headMilliseconds = http.headSeconds * 1_000
    limits.bodyGraceMilliseconds = http.bodyGraceSeconds * 1_000
    limits.bodyBytesPerSecond = http.bodyBytesPerSecond
    limits.idleMilliseconds = http.idleSeconds * 1_000
    limits.connections = HTTPLimits.connections(wanted: http.connections, loops: loops)
    return limits
  }
}

extension Configuration.Accounts {
  /// The keys for a purpose: the one in use, and the one before it while the secret is being changed.
  package func keys(_ purpose: String) -> [[UInt8]] {
    [jwtSecret, previousJWTSecret].compactMap { $0 }.map { DerivedKey.key(purpose, from: $0) }
  }
}
