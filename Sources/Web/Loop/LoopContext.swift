import HTTP
import Postgres
import Reactor
import Redis
import Secrets
import Settings
import Telemetry
import Values

/// Everything of one loop that handlers use. Nothing in it may leave the loop's thread.
package final class LoopContext {
  // Invariant 1: the loop outlives it.
  package unowned(unsafe) let loop: EventLoop
  package let process: ProcessContext
  package let database: Database
  /// For reads that may be long.
  package let longReads: LongReads
  package let erasures: Erasures
  package let redis: RedisClient
  package let subscriber: RedisSubscriber
  /// Decides whether history is read from a replica.
  package let replicaReads: ReplicaReads
  package let cache: Cache
  package let logger: Logger
  package let meters: Meters
  package let spans: SpanQueue?
  package let rates: RateLimits
  package let tokens: TokenAuthority
  package let cursors: CursorSeal
  package let refreshTokens: RefreshTokenChain
  /// Seals answers that hold a secret and may have to be repeated.
  package let answerSeal: Seal
  package let sessions: SessionDirectory
  package let deviceKeys: DeviceKeys
  package let personalTokens: PersonalTokens
  let sessionKeys: SessionKeys
  private let announcements: RedisSubscription

  package var configuration: Configuration { process.configuration }
  package var credentials: Credentials { Credentials(sessions: sessions, tokens: personalTokens) }
  package var passwords: PasswordPool { process.passwords }
  package var passwordShares: ClientShares { process.passwordShares }

  package init(loop: EventLoop, process: ProcessContext) throws {
    self.loop = loop
    self.process = process
    let configuration = process.configuration
    let prefix = configuration.redis.keyPrefix
    logger = Logger(process.logs)
    spans = process.exporter.map { SpanQueue($0) }
    meters = Meters(process.instruments, shard: loop.index)
    let observer = StoreObserver(loop: loop, meters: meters, spans: spans)
    database = try Database(loop: loop, configuration: configuration.pool, observer: observer)
    redis = RedisClient(loop: loop, configuration: configuration.redisConnection, observer: observer)
    storeObserver = observer
    subscriber = RedisSubscriber(loop: loop, configuration: configuration.redisConnection)
    // Only loops that serve requests read history.
    let replica = loop.index < process.workers ? configuration.replicaPool : nil
    replicaReads = ReplicaReads(
      loop: loop, primary: database,
      replica: try replica.map { try Database(loop: loop, configuration: $0, observer: observer) }, redis: redis,
      prefix: prefix, freshness: process.replicaFreshness)
    longReads = LongReads(
      loop: loop, configuration.longPool, replicaReads: replicaReads, shares: process.longReads, observer: observer)
    erasures = Erasures(loop: loop, connections: configuration.pool.transactionConnections)
    cache = Cache(
      redis: redis, subscriber: subscriber, database: database, commitMark: process.commitMark,
      counts: process.changeCounts, memory: configuration.answerMemory(loops: process.workers), prefix: prefix,
      isEnabled: configuration.redis.caches, record: meters.cache)
    rates = RateLimits(configuration.rates) { [redis] policy in
      RateLimiter(policy, redis: redis, loop: loop, prefix: prefix)
    }
    tokens = TokenAuthority(configuration)
    cursors = CursorSeal(keys: configuration.accounts.keys("cursor 1"))
    refreshTokens = RefreshTokenChain(keys: configuration.accounts.keys("refresh token 1"))
    answerSeal = Seal(keys: configuration.accounts.keys("answer 1"))
    sessions = SessionDirectory(loop: loop, database: database, redis: redis, prefix: prefix)
    deviceKeys = DeviceKeys(loop: loop, database: database, redis: redis, prefix: prefix)
    personalTokens = PersonalTokens(loop: loop, database: database, redis: redis, prefix: prefix)
    sessionKeys = SessionKeys(
      loop: loop, database: database, sessionDays: Int32(configuration.accounts.refreshTokenDays))
    announcements = try Announcements.follow(
      subscriber, prefix: prefix, sessions: sessions, keys: deviceKeys, tokens: personalTokens)
  }

  // Kept here because the stores refer to it without owning it.
  private let storeObserver: StoreObserver

  /// A new id, of this turn's moment, greater than all that the process has made before.
  package func makeIdentifier() -> Identifier {
    process.identifiers.next(unixMilliseconds: now.unixMilliseconds)
  }

  /// This turn's moment, as all replicas see it.
  package var now: Timestamp { process.clock.moment(at: loop.boot, calendarOffset: loop.calendarOffset) }

  /// Closes the connections to the stores; what is in flight fails.
  package func close() {
    database.close()
    longReads.close()
    replicaReads.close()
    redis.close()
    subscriber.close()
  }
}

extension TokenAuthority {
  convenience init(_ configuration: Configuration) {
    let accounts = configuration.accounts
    var settings = Settings(issuer: accounts.issuer, audience: accounts.audience)
    settings.lifetimeSeconds = Int64(accounts.accessTokenSeconds)
    self.init(
      secret: Array(accounts.jwtSecret.utf8), previousSecret: accounts.previousJWTSecret.map { Array($0.utf8) },
      settings: settings)
  }
}
