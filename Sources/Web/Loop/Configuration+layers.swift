import HTTP
import Postgres
import Redis
import Secrets
import Settings

/// What the layers below are configured with.
extension Configuration {
  /// How long a write waits for what another transaction has, in milliseconds: longer than a migration waits for a
  /// table, and lets nobody have it meanwhile.
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

  /// The pool of one loop for what may read much.
  var longPool: DatabaseConfiguration {
    var long = pool
    long.readers = database.longReaders
    long.writers = 0
    long.transactionConnections = 0
    return long
  }

  /// The same to the replica. Nil when there is none.
  var replicaPool: DatabaseConfiguration? {
    guard let url = database.replicaURL else { return nil }
    var replica = longPool
    replica.url = url
    return replica
  }

  /// One connection of its own for the health check, on which a question takes no longer than the check may.
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

  /// What is written to see whether a Redis takes writes.
  package var trialKey: String { "\(redis.keyPrefix)trial" }

  /// What one loop remembers of finished answers, of which there are `loops`.
  func answerMemory(loops: Int) -> AnswerMemory {
    AnswerMemory(maximumEntries: redis.memoryEntries / loops, maximumBytes: redis.memoryBytes / loops)
  }

  /// The bounds of one loop's HTTP server, of which there are `loops`.
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
