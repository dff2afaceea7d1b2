import HTTP
import Reactor
import Redis

/// One loop at work: its stores, its application and its server. Made on the loop's thread.
final class Worker {
  let own: LoopParts
  private var services: Services { own.services }
  private let server: Server
  private var loop: EventLoop { services.loop }

  /// Serves `endpoints` on a listening socket.
  init(
    loop: EventLoop, _ parts: ServiceParts, socket: Int32, endpoints: (LoopParts) -> [Endpoint]
  ) throws {
    own = try LoopParts(loop: loop, parts)
    let shared = parts.shared
    let application = LoopApplication(own.services, endpoints: endpoints(own))
    server = try Server(
      loop: loop, listeningOn: socket, limits: shared.configuration.limits(loops: shared.workers),
      memory: shared.memory, application: application)
    watchStores()
    measureLag()
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
    own.features.close()
    server.beginDraining()
    server.pauseAccepting()
  }

  /// Finishes what is in flight, at most that long, closes the stores and stops the loop.
  func shutDown(withinMilliseconds milliseconds: Int, _ done: @escaping () -> Void) {
    // Not before: clients come back at once, and should not find this server again.
    own.features.close()
    server.shutDown(withinMilliseconds: milliseconds) { [self] in
      services.close()
      loop.stop()
      done()
    }
  }

  // MARK: Watching

  private func watchStores() {
    let (services, parts) = (services, own.parts)
    services.redis.onStateChange = { [unowned services] isConnected in
      services.logger.log(isConnected ? .info : .warning, isConnected ? "Redis is connected" : "Redis is away")
      services.cache.connectionChanged(isConnected: isConnected)
    }
    services.database.onStateChange = { [unowned services] isUsable in
      services.logger.log(isUsable ? .info : .warning, isUsable ? "Postgres is connected" : "Postgres is away")
      parts.poolChanged()
    }
    services.database.onConnectionError = { [unowned services] error in
      services.logger.log(.warning, "A Postgres connection failed") { $0.field("error", error: error) }
    }
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
