import HTTP
import Reactor
import Redis
import Web

/// One loop at work: its stores, its application and its server. Made on the loop's thread.
final class Worker {
  let parts: LoopParts
  private var context: LoopContext { parts.context }
  private let server: Server
  private var loop: EventLoop { context.loop }

  /// Connects to the stores; `endpoints` are served once it accepts.
  init(loop: EventLoop, _ shared: ServiceContext, endpoints: (LoopParts) -> [Endpoint]) throws {
    parts = try LoopParts(loop: loop, shared)
    let process = shared.process
    let application = LoopApplication(parts.context, endpoints: endpoints(parts))
    server = Server(
      loop: loop, limits: process.configuration.limits(loops: process.workers), memory: process.memory,
      application: application)
    server.onShortage = { [meters = parts.context.meters] in meters.connectionsDropped.increment() }
    watchStores()
    measureLag()
  }

  /// Calls `done` once this loop has Postgres.
  func whenUsable(_ done: @escaping () -> Void) {
    loop.spawn { [context] in
      while !(await context.database.waitUntilUsable(nanoseconds: Self.patienceNanoseconds)) {}
      done()
    }
  }

  /// How long each wait for the database lasts, in nanoseconds.
  private static let patienceNanoseconds: UInt64 = 10_000_000_000

  /// Serves what comes in on a listening socket.
  func accept(from socket: Int32) {
    do {
      try server.accept(from: socket)
    } catch {
      // The socket is sound: what fails here is the machine.
      fatalError("a loop cannot accept: \(error)")
    }
  }

  /// Takes over a new health report. Where a check of Postgres found it silent, this loop's pools ask their connections
  /// for a sign of life, once for each such check; those of long reads only if idle, since one that waits long for an
  /// answer is not silent.
  func adopt(report: HealthReport) {
    let known = parts.status.health["database"]
    parts.status.health = report
    guard let check = report["database"], check.isSilent, check.endedAt != known?.endedAt else { return }
    context.database.suspect()
    context.longReads.suspectIdle()
  }

  /// Takes over the points of the status page.
  func show(history: [StatusPoint]) { parts.status.history = history }

  /// Brings the gauges up to date that are read from the pools, for a scrape.
  func refreshGauges() {
    let meters = context.meters
    meters.openConnections.set(Double(server.openConnections))
    let counts = context.database.connectionCounts
    let long = context.longReads.connectionCounts
    meters.databaseActive.set(Double(counts.active + long.active))
    meters.databaseIdle.set(Double(counts.idle + long.idle))
    meters.redisActive.set(context.redis.isConnected ? 1 : 0)
  }

  // MARK: Ending

  /// Says on probes that the end has come, and asks clients to go elsewhere; goes on serving.
  func beginDraining() {
    parts.status.isDraining = true
    server.beginDraining()
  }

  /// Leaves new connections to a successor that shares the listening socket; goes on with those that are open.
  func handOver() {
    server.beginDraining()
    server.pauseAccepting()
  }

  /// Takes new connections again: the successor is gone.
  func takeBack() {
    server.endDraining()
    server.resumeAccepting()
  }

  /// Finishes what is in flight within `milliseconds`, writes what is gathered in memory, closes the stores, stops the
  /// loop and calls `done`.
  func shutDown(withinMilliseconds milliseconds: Int, _ done: @escaping () -> Void) {
    // Not before: clients come back at once, and should not find this server again.
    parts.features.close()
    server.shutDown(withinMilliseconds: milliseconds) { [self] in
      loop.spawn { [self] in
        await parts.features.finish()
        closeStores()
        loop.stop()
        done()
      }
    }
  }

  /// Closes the connections to the stores, without reporting the stores as away.
  private func closeStores() {
    context.redis.onStateChange = nil
    context.redis.onFailure = nil
    context.database.onStateChange = nil
    context.database.onConnectionError = nil
    context.close()
  }

  // MARK: Watching

  private func watchStores() {
    let (context, shared) = (context, parts.shared)
    let process = shared.process
    context.redis.onStateChange = { [unowned context] isConnected in
      Self.note(isConnected, in: process.redisReach, context, isWhole: "Redis is connected", isNot: "Redis is away")
      context.cache.connectionChanged(isConnected: isConnected)
    }
    // One loop's report will do: all of them connect to the same Redis.
    if context.loop.index == 0 {
      context.redis.onFailure = { [unowned context] reason in
        context.logger.log(.warning, "Redis cannot be used") { $0.field("reason", reason) }
      }
      context.subscriber.onRefusal = { [unowned context] reason in
        context.logger.log(.warning, "Redis refuses subscriptions") { $0.field("reason", reason) }
      }
    }
    context.database.onStateChange = { [unowned context] isUsable in
      Self.note(
        isUsable, in: process.databaseReach, context, isWhole: "Postgres is connected", isNot: "Postgres is away")
      if !isUsable { context.longReads.suspect() }
      shared.poolChanged()
    }
    context.database.onConnectionError = { [unowned context] error in
      guard process.databaseFailures.isDue(at: context.loop.now) else { return }
      context.logger.log(.warning, "A Postgres connection failed") { $0.field("error", error: error) }
    }
  }

  /// Logs once for the process that a store is away, or back on all loops. The loop of the metrics does not count,
  /// since it serves no requests.
  private static func note(
    _ hasStore: Bool, in reach: StoreReach, _ context: LoopContext, isWhole: String, isNot: String
  ) {
    guard context.loop.index < context.process.workers, reach.note(hasStore, loop: context.loop.index) else { return }
    context.logger.log(hasStore ? .info : .warning, hasStore ? isWhole : isNot)
  }

  /// How often the loop's lateness is measured, in nanoseconds.
  private static let lagIntervalNanoseconds: UInt64 = 250_000_000

  private func measureLag() {
    let due = loop.now + Self.lagIntervalNanoseconds
    loop.schedule(afterNanoseconds: Self.lagIntervalNanoseconds) { [weak self] in
      guard let self else { return }
      context.meters.loopLag.observe(Double(Clock.monotonic() - due) / 1e9)
      measureLag()
    }
  }
}
