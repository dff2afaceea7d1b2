import HTTP
import Reactor
import Redis

/// One loop at work: its stores, its application and its server. Made on the loop's thread.
final class Worker {
  let own: LoopParts
  private var services: Services { own.services }
  private let server: Server
  private var loop: EventLoop { services.loop }

  /// Connects to the stores; `endpoints` are served once it accepts.
  init(loop: EventLoop, _ parts: ServiceParts, endpoints: (LoopParts) -> [Endpoint]) throws {
    own = try LoopParts(loop: loop, parts)
    let shared = parts.shared
    let application = LoopApplication(own.services, endpoints: endpoints(own))
    server = Server(
      loop: loop, limits: shared.configuration.limits(loops: shared.workers), memory: shared.memory,
      application: application)
    watchStores()
    measureLag()
  }

  /// Calls `done` once this loop has Postgres.
  func whenUsable(_ done: @escaping () -> Void) {
    loop.spawn { [services] in
      while !(await services.database.waitUntilUsable(nanoseconds: Self.patienceNanoseconds)) {}
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

  /// Takes over a new report of the health checks. A store that was found silent is looked at by this loop's pool too.
  func adopt(_ report: HealthReport) {
    own.status.health = report
    if report["database"]?.status == .unhealthy { services.database.suspect() }
  }

  /// Takes over the points of the status page.
  func adopt(_ history: [StatusPoint]) { own.status.history = history }

  /// Brings the gauges up to date that are read from the pools, for a scrape.
  func refreshGauges() {
    let meters = services.meters
    meters.openConnections.set(Double(server.openConnections))
    let counts = services.database.connectionCounts
    meters.databaseActive.set(Double(counts.active))
    meters.databaseIdle.set(Double(counts.idle))
    meters.redisActive.set(services.redis.isConnected ? 1 : 0)
  }

  // MARK: Ending

  /// Says on probes that the end has come, and asks clients to go elsewhere; goes on serving.
  func beginDraining() {
    own.status.isDraining = true
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

  /// Finishes what is in flight, at most that long, closes the stores and stops the loop.
  func shutDown(withinMilliseconds milliseconds: Int, _ done: @escaping () -> Void) {
    // Not before: clients come back at once, and should not find this server again.
    own.features.close()
    server.shutDown(withinMilliseconds: milliseconds) { [self] in
      closeStores()
      loop.stop()
      done()
    }
  }

  /// Closes the connections to the stores, which are not away then.
  private func closeStores() {
    services.redis.onStateChange = nil
    services.database.onStateChange = nil
    services.database.onConnectionError = nil
    services.close()
  }

  // MARK: Watching

  private func watchStores() {
    let (services, parts) = (services, own.parts)
    let shared = parts.shared
    services.redis.onStateChange = { [unowned services] isConnected in
      Self.note(isConnected, in: shared.redisReach, services, isWhole: "Redis is connected", isNot: "Redis is away")
      services.cache.connectionChanged(isConnected: isConnected)
    }
    services.database.onStateChange = { [unowned services] isUsable in
      Self.note(
        isUsable, in: shared.databaseReach, services, isWhole: "Postgres is connected", isNot: "Postgres is away")
      parts.poolChanged()
    }
    services.database.onConnectionError = { [unowned services] error in
      guard shared.databaseFailures.isDue(at: services.loop.now) else { return }
      services.logger.log(.warning, "A Postgres connection failed") { $0.field("error", error: error) }
    }
  }

  /// Says once for the process that a store is away, or back on all loops. The loop of the metrics serves no request.
  private static func note(
    _ hasStore: Bool, in reach: StoreReach, _ services: Services, isWhole: String, isNot: String
  ) {
    guard services.loop.index < services.shared.workers, reach.note(hasStore, loop: services.loop.index) else { return }
    services.logger.log(hasStore ? .info : .warning, hasStore ? isWhole : isNot)
  }

  /// How often the loop's lateness is measured, in nanoseconds.
  private static let lagIntervalNanoseconds: UInt64 = 250_000_000

  private func measureLag() {
    let due = loop.now + Self.lagIntervalNanoseconds
    loop.schedule(afterNanoseconds: Self.lagIntervalNanoseconds) { [weak self] in
      guard let self else { return }
      services.meters.loopLag.observe(Double(Clock.monotonic() - due) / 1e9)
      measureLag()
    }
  }
}
