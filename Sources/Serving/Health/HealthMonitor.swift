import Postgres
import Reactor
import Redis
import Settings
import Values
import Web

/// Runs the checks in the background on connections of its own, and publishes each report to all loops.
final class HealthMonitor {
  // Invariant 1: the loop's context outlives it.
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
  // These wait for other servers: each runs at its own pace, so that none holds up the results of the others.
  private lazy var databaseCheck = RepeatedCheck { [unowned self] in await check("database", askTime) }
  private lazy var redisCheck = RepeatedCheck { [unowned self] in await check("redis", writeToRedis) }
  private lazy var externalCheck = RepeatedCheck { [unowned self] in await external.run(on: loop) }

  /// The names of the checks in the order in which reports show them.
  private static let order = ["database", "redis", "external", "disk", "memory"]

  /// A check that is run again and again.
  private final class RepeatedCheck {
    let run: () async -> HealthCheck?
    var isRunning = false
    /// Whether something has changed since the current run began.
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

  /// Starts the checks, which go on until the loop stops.
  func start() {
    watchCalendar()
    loop.spawn { [self] in
      while true {
        for check in [databaseCheck, redisCheck, externalCheck] { begin(check) }
        for check in [disk.run(), memory.run()] { take(check) }
        await loop.sleep(nanoseconds: UInt64(settings.intervalMilliseconds) * 1_000_000)
      }
    }
  }

  /// Notes that the schema is that of this binary.
  func migrationsAreDone() {
    hasMigrated = true
    runSoon()
  }

  /// Checks the stores at once, because one was lost or regained, or could not be reached.
  func runSoon() {
    for check in [databaseCheck, redisCheck] { runSoon(check) }
  }

  private func runSoon(_ check: RepeatedCheck) {
    check.isOutdated = true
    begin(check)
  }

  func close() {
    database.close()
    redis.close()
  }

  private static let clock = Statement("health.clock", "SELECT clock_timestamp()")

  /// Asks the database for the time, and has this process agree with it.
  func askTime() async throws {
    let clock = context.process.clock
    let start = Clock.boot()
    let time = try await database.query(Self.clock)[0].decode(Timestamp.self, 0)
    let (end, calendarOffset) = (Clock.boot(), Clock.calendarOffset())
    guard clock.learn(database: time, between: start, and: end, calendarOffset: calendarOffset) else { return }
    context.logger.log(.warning, "This machine's clock differs from the database's, which is used") {
      $0.field("correctionSeconds", Double(clock.correctionMilliseconds) / 1_000)
    }
  }

  /// How often the machine's calendar clock is looked at, in nanoseconds.
  private static let calendarIntervalNanoseconds: UInt64 = 100_000_000

  /// Checks the database at once when the machine's clock is set: if Postgres runs on the same machine, its clock was
  /// set too, and the agreed time is wrong until this server has asked for it.
  private func watchCalendar() {
    loop.spawn { [self] in
      var known = Clock.calendarOffset()
      while true {
        await loop.sleep(nanoseconds: Self.calendarIntervalNanoseconds)
        let offset = Clock.calendarOffset()
        if abs(offset - known) > AgreedClock.toleranceMilliseconds * 1_000_000 { runSoon(databaseCheck) }
        known = offset
      }
    }
  }

  /// Runs a check unless it is running; once more if something has changed meanwhile.
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

  /// Publishes the result of a check, with the last results of the others.
  private func take(_ check: HealthCheck) {
    found[check.name] = check
    if check.name == "database", check.status == .healthy { hasReachedDatabase = true }
    let isStarted = hasMigrated && hasReachedDatabase && isRedisKnown
    last = HealthReport(checks: Self.order.compactMap { found[$0] }, isStarted: last.isStarted || isStarted)
    publish(last)
  }

  /// Whether Redis has taken a write, or is known to be away. Until then it is still being connected to, which must not
  /// make a start look degraded. A Redis that refuses this server's credentials, gives them too few rights or lacks a
  /// command that is needed is not away: it may serve other instances, and this one must not replace any of them.
  private var isRedisKnown: Bool {
    found["redis"]?.status == .healthy || redis.lastFailure != nil && !redis.refusesThisServer
  }

  /// Writes to Redis: one that answers but takes no writes is of no use.
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
