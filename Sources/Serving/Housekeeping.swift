import HTTP
import Metrics
import Migrations
import Outbound
import Postgres
import Reactor
import Settings
import Telemetry
import Web

/// What the process does beside serving, on a loop of its own: migrations, health checks, the rendering of metrics and
/// their port, and the duties that one replica at a time performs.
final class Housekeeping {
  /// The pause before migrations are retried while the database is away, in nanoseconds.
  static let migrationPauseNanoseconds: UInt64 = 250_000_000
  /// The pause between looks for migrations that are left to `terroir migrate`, in nanoseconds.
  static let missingPauseNanoseconds: UInt64 = 1_000_000_000
  /// How long each attempt waits for a connection, in nanoseconds.
  static let migrationPatienceNanoseconds: UInt64 = 5_000_000_000

  /// The pause before a schema that is not ours is looked at again, in nanoseconds: an operator may have seen to it.
  static let mismatchPauseNanoseconds: UInt64 = 60_000_000_000
  /// The pause before sessions that a pooler shares are looked at again, in nanoseconds.
  static let sharedSessionsPauseNanoseconds: UInt64 = 5_000_000_000
  /// How often the sessions are counted, in nanoseconds.
  private static let countNanoseconds: UInt64 = 10_000_000_000

  let health: HealthMonitor
  /// Whether missing migrations run, or are waited for, at this moment; false while the database is away or refuses.
  private(set) var isMigrating = false
  private let loop: EventLoop
  private let worker: Worker?
  private let parts: LoopParts
  private var context: LoopContext { parts.context }
  private let duties: Duties

  init(
    loop: EventLoop, _ shared: ServiceContext, servesMetrics: Bool, publish: @escaping (HealthReport) -> Void
  ) throws {
    self.loop = loop
    if servesMetrics {
      let own = try Worker(loop: loop, shared, endpoints: EndpointTable.metricsEndpoints)
      (worker, parts) = (own, own.parts)
    } else {
      worker = nil
      parts = try LoopParts(loop: loop, shared)
    }
    let (worker, status, process) = (worker, parts.status, shared.process)
    // Slow language models must not make other servers look away.
    let outbound = OutboundClient(on: loop, authorities: process.configuration.outbound.authorities)
    health = try HealthMonitor(
      parts.context, external: ExternalCheck(process.configuration.health, outbound)
    ) { report in
      status.health = report
      worker?.adopt(report: report)
      DependencyGauges.set(report, process.instruments, shard: loop.index)
      publish(report)
    }
    let record = StatusRecord.duty { status.health.isStarted ? status.health.status : nil }
    duties = Duties(parts.context, parts.features.duties + [record])
  }

  /// Has the schema brought up to date, then begins the checks and duties; calls `onStarted` in between.
  func start(onStarted: @escaping () -> Void) {
    health.start()
    loop.spawn { [self] in
      await migrate()
      // Duties go by the time. If this fails, the checks ask for it again.
      try? await health.askTime()
      await duties.prepare()
      followCommits()
      // Before the checks run again: their next report must find that the schema is there.
      onStarted()
      health.migrationsAreDone()
      duties.start()
      parts.features.notifications.startCourier()
      await countSessions()
    }
  }

  /// Polls the commit mark for all loops, where answers are cached.
  private func followCommits() {
    guard context.configuration.redis.caches else { return }
    loop.spawn { [context] in await context.process.commitMark.follow(context.database) }
  }

  /// Runs the migrations that are missing, or waits until `terroir migrate` has; returns once the database has all.
  private func migrate() async {
    let (failures, waits) = (LogInterval(), LogInterval())
    while true {
      // The connections are still being opened at first.
      _ = await context.database.waitUntilUsable(nanoseconds: Self.migrationPatienceNanoseconds)
      do {
        try await context.database.requireOwnSessions()
        let migrator = Migrator(database: context.database)
        let missing = try await migrator.missing()
        if missing.isEmpty { return }
        isMigrating = true
        defer { isMigrating = false }
        let migrates = context.configuration.database.migratesOnStart
        if waits.isDue(at: loop.now) {
          context.logger.log(migrates ? .notice : .warning, migrates ? "Migrating" : "Waiting for migrations") {
            $0.field("missing", missing.map(\.title).joined(separator: ", "))
          }
        }
        if migrates {
          for name in try await migrator.run() {
            context.logger.log(.info, "Migrated") { $0.field("migration", name) }
          }
          return
        }
        await loop.sleep(nanoseconds: Self.missingPauseNanoseconds)
      } catch let error as Migrator.Mismatch {
        // Serving on a schema that is not ours could harm it: stay unready until an operator has looked.
        context.logger.log(.critical, "The database's schema does not fit") { $0.field("error", error: error) }
        await loop.sleep(nanoseconds: Self.mismatchPauseNanoseconds)
      } catch let error as PostgresError where error.kind == .configuration {
        context.logger.log(.critical, "The database's sessions are shared") { $0.field("error", error: error) }
        await loop.sleep(nanoseconds: Self.sharedSessionsPauseNanoseconds)
      } catch {
        if failures.isDue(at: loop.now) {
          context.logger.log(.warning, "Cannot migrate yet") { $0.field("error", error: error) }
        }
        await loop.sleep(nanoseconds: Self.migrationPauseNanoseconds)
      }
    }
  }

  /// Keeps `user_sessions_active` up to date, for as long as the loop runs.
  private func countSessions() async {
    let gauge = context.process.instruments.sessionsActive.child(shard: loop.index)
    while true {
      gauge.set(await SessionCount.measure(context.database))
      await loop.sleep(nanoseconds: Self.countNanoseconds)
    }
  }

  /// Serves metrics on their port, if they have one.
  func accept(from metricsSocket: Int32?) {
    if let metricsSocket { worker?.accept(from: metricsSocket) }
  }

  /// Leaves new connections for metrics to a successor. The duties go on: each runs on one replica at a time.
  func handOver() { worker?.handOver() }

  /// Takes new connections for metrics again.
  func takeBack() { worker?.takeBack() }

  private func stopWork() {
    duties.stop()
    parts.features.notifications.stopCourier()
  }

  func beginDraining() {
    parts.status.isDraining = true
    stopWork()
  }

  /// Waits for running duties; called before `close`.
  func finish() async { await duties.finish() }

  func close() {
    stopWork()
    health.close()
    context.close()
  }

  /// Logs an event of the process.
  func log(_ level: LogLevel, _ message: String, fields: (inout LogLine) -> Void = { _ in }) {
    context.logger.log(level, message, fields: fields)
  }
}
