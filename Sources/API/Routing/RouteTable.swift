import Reactor
import Telemetry

/// Everything that is served.
enum RouteTable {
  /// What a worker serves.
  static func endpoints(_ loop: LoopParts) -> [Endpoint] {
    let (services, status) = (loop.services, loop.status)
    let operations: [any EndpointGroup] = [
      Probes(services: services, status: status),
      MetricsPages(services: services, exposition: loop.parts.exposition, needsToken: true),
      StatusPages(services: services, status: status),
      DocumentationPages(shelf: loop.parts.documentation),
    ]
    let features = loop.features.all.flatMap(\.endpoints)
    // A reader of the reference finds what programs ask for before the pages.
    let endpoints =
      features.filter { $0.tag != "Pages" } + operations.flatMap(\.endpoints) + features.filter { $0.tag == "Pages" }
    loop.parts.documentation.describe(endpoints, version: services.configuration.service.version)
    return endpoints
  }

  /// What the metrics port serves: nothing that a client of the API needs.
  static func metricsEndpoints(_ loop: LoopParts) -> [Endpoint] {
    Probes(services: loop.services, status: loop.status).endpoints
      + MetricsPages(services: loop.services, exposition: loop.parts.exposition, needsToken: false).endpoints
  }

  /// Calls `body` with the table outside of a service, for what only reads it. Nothing is served and no store asked.
  static func withEndpoints<Result>(
    _ configuration: Configuration, _ body: ([Endpoint]) throws -> Result
  ) throws -> Result {
    let loop = try EventLoop(index: 0)
    let instruments = Instruments(shards: 2)
    let shared = try Shared(
      configuration, workers: 1, logs: LogSink(style: configuration.logStyle), instruments: instruments)
    let parts = ServiceParts(
      shared: shared,
      exposition: LoopBound(Exposition(instruments.registry, loop: loop, memory: shared.memory), to: loop),
      poolChanged: {})
    let loopParts = try LoopParts(loop: loop, parts)
    defer {
      loopParts.services.close()
      shared.passwords.stop()
    }
    return try withExtendedLifetime(loop) { try body(endpoints(loopParts)) }
  }
}
