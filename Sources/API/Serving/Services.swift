import HTTP
import Postgres
import Reactor
import Redis
import Telemetry
import Values

/// Everything of one loop that handlers use. Nothing in it may leave the loop's thread.
final class Services {
  unowned(unsafe) let loop: EventLoop
  let shared: Shared
  let database: Database
  private let replica: Database?
  let redis: RedisClient
  let subscriber: RedisSubscriber
  let cache: Cache
  let logger: Logger
  let meters: Meters
  let spans: SpanQueue?
  let rateLimiter: RateLimiter
  let tokens: TokenAuthority
  let cursors: CursorSeal
  let succession: Succession
  /// Seals answers that hold a secret and may have to be given again.
  let answerSeal: Seal
  let sessions: SessionDirectory
  let deviceKeys: DeviceKeys
  private let announcements: RedisSubscription
  private var random = SystemRandomNumberGenerator()

  var configuration: Configuration { shared.configuration }
  var passwords: PasswordPool { shared.passwords }

  init(loop: EventLoop, shared: Shared) throws {
    self.loop = loop
    self.shared = shared
    let configuration = shared.configuration
    let prefix = configuration.redis.keyPrefix
    logger = Logger(shared.logs)
    spans = shared.exporter.map { SpanQueue($0) }
    meters = Meters(shared.instruments, shard: loop.index)
    let observer = StoreObserver(loop: loop, meters: meters, spans: spans)
    database = try Database(loop: loop, configuration: configuration.pool, observer: observer)
    replica = try configuration.replicaPool.map { try Database(loop: loop, configuration: $0, observer: observer) }
    redis = RedisClient(loop: loop, configuration: configuration.store, observer: observer)
    storeObserver = observer
    subscriber = RedisSubscriber(loop: loop, configuration: configuration.store)
    cache = Cache(
      redis: redis, database: database, commitMark: shared.commitMark, prefix: prefix,
      isEnabled: configuration.redis.caches, record: meters.cache)
    rateLimiter = RateLimiter(redis: redis, loop: loop, prefix: prefix)
    tokens = TokenAuthority(configuration)
    cursors = CursorSeal(
      secret: Array(configuration.accounts.jwtSecret.utf8),
      previousSecret: configuration.accounts.previousJWTSecret.map { Array($0.utf8) })
    succession = Succession(keys: configuration.accounts.keys("refresh token 1"))
    answerSeal = Seal(keys: configuration.accounts.keys("answer 1"))
    sessions = SessionDirectory(loop: loop, database: database, redis: redis, prefix: prefix)
    deviceKeys = DeviceKeys(loop: loop, database: database, redis: redis, prefix: prefix)
    announcements = try Announcements.follow(subscriber, prefix: prefix, sessions: sessions, keys: deviceKeys)
  }

  // The stores hold it without owning it.
  private let storeObserver: StoreObserver

  /// A new id, of this turn's moment, greater than all that the process has made before.
  func makeIdentifier() -> Identifier {
    shared.identifiers.next(unixMilliseconds: loop.unixMilliseconds, using: &random)
  }

  /// Where history is read, which may lag a little: the replica, or the primary while there is none or it is away.
  var archive: Database {
    if let replica, replica.isUsable { return replica }
    return database
  }

  /// This turn's moment.
  var now: Timestamp { Timestamp(unixMilliseconds: loop.unixMilliseconds) }

  /// Closes the connections to the stores; what is in flight fails.
  func close() {
    database.close()
    replica?.close()
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
