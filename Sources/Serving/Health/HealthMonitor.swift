import Postgres
import Reactor
import Redis
import Settings
import Values
import Web

/// Runs the checks in the background on connections of its own, and publishes each report to all loops.
final class HealthMonitor {
  // Invariant 1.
  private unowned(unsafe) let context: LoopContext
  private var loop: EventLoop { context.loop }
  private let settings: Configuration.Health
  private let database: Database
  private let redis: RedisClient
  private let trialKey: String
  private let publish: (HealthReport) -> Void
  private let external: ExternalCheck
  private let disk: DiskCheck
  private let memory: MemoryCheck
  private var hasMigrated = false
  /// The last result of each check, by its name.
  private var found: [String: HealthCheck] = [:]
  private var hasReachedDatabase = false
  /// The last report.
  private(set) var last = HealthReport.starting
  // They wait for others; each at its own pace, so that none keeps the others' news.
  private lazy var databaseCheck = RepeatedCheck { [unowned self] in await check("database", askTime) }
  private lazy var redisCheck = RepeatedCheck { [unowned self] in await check("redis", writeToRedis) }
  private lazy var externalCheck = RepeatedCheck { [unowned self] in await external.run(on: loop) }

  /// The names of the checks in the order in which reports show them.
  private static let order = ["database", "redis", "external", "disk", "memory"]

  /// A check that is run again and again.
  private final class RepeatedCheck {
    let run: () async -> HealthCheck?
    var isRunning = false
    /// Something has changed since the run that goes on began.
    var isOutdated = false

    init(_ run: @escaping () async -> HealthCheck?) { self.run = run }
  }

  init(_ context: LoopContext, external: ExternalCheck, publish: @escaping (HealthReport) -> Void) throws {
    self.context = context
    let (loop, configuration) = (context.loop, context.configuration)
    settings = configuration.health
    self.publish = publish
    self.external = external
    disk = DiskCheck(settings)
    memory = MemoryCheck(configuration)
    database = try Database(loop: loop, configuration: configuration.probePool)
    var connection = configuration.redisConnection
    connection.commandDeadlineMilliseconds = UInt64(settings.timeoutMilliseconds)
    redis = RedisClient(loop: loop, configuration: connection)
    trialKey = configuration.trialKey
    database.onStateChange = { [unowned self] _ in runSoon() }
    redis.onStateChange = { [unowned self] _ in runSoon() }
    redis.onFailure = { [unowned self] _ in runSoon() }
  }

  /// Begins to run, and goes on until the loop stops.
  func start() {
    loop.spawn { [self] in
      while true {
        for check in [databaseCheck, redisCheck, externalCheck] { begin(check) }
        for check in [disk.run(), memory.run()] { take(check) }
        await loop.sleep(nanoseconds: UInt64(settings.intervalMilliseconds) * 1_000_000)
      }
    }
  }

  /// Says that the schema is that of this binary.
  func migrationsAreDone() {
    hasMigrated = true
    runSoon()
  }

  /// Asks the stores out of turn: one was lost or regained, or could not be reached.
  func runSoon() {
    for check in [databaseCheck, redisCheck] {
      check.isOutdated = true
      begin(check)
    }
  }

  func close() {
    database.close()
    redis.close()
  }

  private static let clock = Statement("health.clock", "SELECT clock_timestamp()")

  /// Asks the database what time it is, and has this process agree.
  func askTime() async throws {
    let clock = context.process.clock
    let start = Clock.unixMilliseconds()
    let time = try await database.query(Self.clock)[0].decode(Timestamp.self, 0)
    guard clock.learn(database: time, between: start, and: Clock.unixMilliseconds()) else { return }
    context.logger.log(.warning, "This machine's clock was found apart from the database's, which counts") {
      $0.field("correctionSeconds", Double(clock.correctionMilliseconds) / 1_000)
    }
  }

  /// Runs a check unless it runs; once more if something changes meanwhile.
  private func begin(_ check: RepeatedCheck) {
    guard !check.isRunning else { return }
    check.isRunning = true
    loop.spawn { [self] in
      repeat {
        check.isOutdated = false
        if let result = await check.run() { take(result) }
      } while check.isOutdated
      check.isRunning = false
    }
  }

  /// Publishes what a check has found, with what the others found last.
  private func take(_ check: HealthCheck) {
    found[check.name] = check
    if check.name == "database", check.status == .healthy { hasReachedDatabase = true }
    let isStarted = hasMigrated && hasReachedDatabase && isRedisKnown
    last = HealthReport(checks: Self.order.compactMap { found[$0] }, isStarted: last.isStarted || isStarted)
    publish(last)
  }

  /// Whether Redis has taken a write, or is away. Until then it is being connected to, by which no start shall look
  /// degraded; but one that is away is waited for no longer. One that refuses this server's credentials is not away: it
  /// serves those whose are right, and none of them is to be replaced by this one.
  private var isRedisKnown: Bool {
    found["redis"]?.status == .healthy || redis.lastFailure != nil && !redis.refusesCredentials
  }

  /// A Redis that answers but takes no writes is of no use.
  private func writeToRedis() async throws { try await redis.send("SET", .text(trialKey), "", "EX", 1) }

  private func check(_ name: String, _ body: @escaping () async throws -> Void) async -> HealthCheck {
    let start = Clock.monotonic()
    var (status, isSilent) = (HealthStatus.healthy, false)
    do { try await body() } catch {
      status = .unhealthy
      isSilent = (error as? PostgresError)?.kind == .timeout
    }
    let end = Clock.monotonic()
    return HealthCheck(
      name: name, status: status, latencyNanoseconds: end - start, endedAt: end, isSilent: isSilent)
  }
}
