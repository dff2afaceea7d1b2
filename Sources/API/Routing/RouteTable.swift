import Reactor
import Telemetry

/// Everything that is served, in the order of the reference.
enum RouteTable {
  /// What a worker serves.
  static func endpoints(_ services: Services) -> [Endpoint] {
    let endpoints = resources(services).flatMap(\.endpoints)
    services.shared.describe(endpoints)
    return endpoints
  }

  /// What the metrics port serves: nothing that a client of the API needs.
  static func metricsEndpoints(_ services: Services) -> [Endpoint] {
    let resources: [any EndpointGroup] = [
      Probes(services: services), MetricsPages(services: services, needsToken: false),
    ]
    return resources.flatMap(\.endpoints)
  }

  private static func resources(_ services: Services) -> [any EndpointGroup] {
    [
      Users(services: services),
      Export(services: services),
      Import(services: services),
      Sessions(services: services),
      Gardens(services: services),
      LatestReadings(services: services),
      GardenEvents(services: services),
      Devices(services: services),
      Readings(services: services),
      Insights(services: services),
      Businesses(services: services),
      Products(services: services),
      OrderPlacement(services: services),
      Orders(services: services),
      OrderTransitions(services: services),
      OrderSummary(services: services),
      Administration(services: services),
      Probes(services: services),
      MetricsPages(services: services, needsToken: true),
      StatusPages(services: services),
      GardenPages(services: services),
      DocumentationPages(services: services),
    ]
  }

  /// Calls `body` with the table outside of a service, for what only reads it. Nothing is served and no store asked.
  static func withEndpoints<Result>(
    _ configuration: Configuration, _ body: ([Endpoint]) throws -> Result
  ) throws -> Result {
    let loop = try EventLoop(index: 0)
    let instruments = Instruments(shards: 2)
    let shared = try Shared(
      configuration, workers: 1, logs: LogSink(style: configuration.logStyle), instruments: instruments,
      exposition: LoopBound(Exposition(instruments.registry, loop: loop), to: loop), poolChanged: {})
    let services = try Services(loop: loop, shared: shared)
    defer {
      services.close()
      shared.passwords.stop()
    }
    return try withExtendedLifetime(loop) { try body(endpoints(services)) }
  }
}
