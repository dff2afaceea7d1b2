import Reactor
import Reference
import Secrets
import Settings
import Telemetry
import Web

/// Everything that is served.
package enum EndpointTable {
  /// What a worker serves.
  static func endpoints(_ parts: LoopParts) -> [Endpoint] {
    let (context, status) = (parts.context, parts.status)
    let operations: [any EndpointGroup] = [
      Probes(context: context, status: status),
      MetricsPages(context: context, exposition: parts.shared.exposition, needsToken: true),
      StatusPages(context: context, status: status),
      GrowerPages(),
      // A worker keeps its parts for as long as it serves.
      DocumentationPages(shelf: parts.shared.documentation) { [unowned parts] in
        Documentation(of: endpoints(parts), version: parts.context.configuration.service.version)
      },
    ]
    let features = parts.features.all.flatMap(\.endpoints)
    // In the reference, what programs ask for stands before the pages.
    return features.filter { $0.tag != "Pages" } + operations.flatMap(\.endpoints)
      + features.filter { $0.tag == "Pages" }
  }

  /// What the metrics port serves: nothing that a client of the API needs.
  static func metricsEndpoints(_ parts: LoopParts) -> [Endpoint] {
    Probes(context: parts.context, status: parts.status).endpoints
      + MetricsPages(context: parts.context, exposition: parts.shared.exposition, needsToken: false).endpoints
  }

  /// Calls `body` with the table outside of a service, to read it. Nothing is served and no store is asked.
  static func withEndpoints<Result>(
    _ configuration: Configuration, _ body: ([Endpoint]) throws -> Result
  ) throws -> Result {
    let loop = try EventLoop(index: 0)
    let instruments = Instruments(shards: 2)
    let process = try ProcessContext(
      configuration, workers: 1, logs: LogSink(style: configuration.logStyle), instruments: instruments,
      caller: loop)
    let shared = ServiceContext(
      process: process,
      exposition: LoopBound(Exposition(instruments.registry, loop: loop, memory: process.memory), to: loop),
      poolChanged: {})
    let parts = try LoopParts(loop: loop, shared)
    defer {
      parts.context.close()
      process.passwords.stop()
    }
    return try withExtendedLifetime(loop) { try body(endpoints(parts)) }
  }
}
