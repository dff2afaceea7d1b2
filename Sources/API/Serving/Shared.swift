import HTTP
import JSON
import Metrics
import Postgres
import Reactor
import Redis
import Synchronization
import Telemetry

/// What all loops of the process share: nothing in it changes after the start, or it is made for sharing.
final class Shared: Sendable {
  let configuration: Configuration
  let instruments: Instruments
  let logs: LogSink
  let passwords: PasswordPool
  let outbound: Outbound
  /// Spare the providers of language models, and those who would wait for them.
  let modelCircuits: [InsightProvider: CircuitBreaker] = [.openAI: CircuitBreaker(), .anthropic: CircuitBreaker()]
  /// Nil when no collector is configured.
  let exporter: SpanExporter?
  let trustedProxies: [AddressBlock]
  /// Loops that serve requests.
  let workers: Int
  /// When the process began, in nanoseconds of the monotonic clock.
  let startedAt = Clock.monotonic()
  /// Of the loops that serve requests, so that any of them can tell that another is stuck.
  let heartbeats: [Heartbeat]
  private let described = Mutex<Documentation?>(nil)
  /// The answer of /version.
  let versionBody: [UInt8]

  /// Renders the metrics, on the housekeeping loop.
  let exposition: LoopBound<Exposition>
  /// Tells the housekeeping loop that a pool has lost or regained its store.
  let poolChanged: @Sendable () -> Void

  init(
    _ configuration: Configuration, workers: Int, logs: LogSink, instruments: Instruments,
    exposition: LoopBound<Exposition>, poolChanged: @escaping @Sendable () -> Void
  ) throws {
    self.configuration = configuration
    self.workers = workers
    heartbeats = (0..<workers).map { _ in Heartbeat() }
    self.logs = logs
    self.instruments = instruments
    self.exposition = exposition
    self.poolChanged = poolChanged
    versionBody = Self.versionBody(configuration)
    let accounts = configuration.accounts
    passwords = try PasswordPool(threads: accounts.hashingParallelism, waiting: accounts.hashingQueueLength)
    let outbound = Outbound()
    self.outbound = outbound
    trustedProxies = configuration.listening.trustedProxies
    exporter = configuration.spanExporter.map {
      SpanExporter($0, resource: configuration.resource, logger: SharedLogger(logs)) { try outbound.export($0) }
    }
    registerReadings()
  }

  /// The document and the page that describe the API; there once a loop serves.
  var documentation: Documentation { described.withLock { $0! } }

  /// Makes the documentation of the route table, unless another loop has.
  func describe(_ endpoints: [Endpoint]) {
    described.withLock { documentation in
      if documentation != nil { return }
      documentation = Documentation(of: endpoints, version: configuration.service.version)
    }
  }

  private static func versionBody(_ configuration: Configuration) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("name", configuration.service.name)
      json.member("version", configuration.service.version)
      json.member("revision", configuration.service.revision)
      json.member("swift", Version.swift)
    }
    return json.take()
  }

  /// Registers what is read from its owner at each scrape, and what never changes.
  private func registerReadings() {
    let (registry, logs, exporter) = (instruments.registry, logs, exporter)
    registry.counter("log_lines_dropped_total", help: "Log lines dropped because the reader was too slow.") {
      Double(logs.droppedLines)
    }
    registry.counter("trace_spans_exported_total", help: "Spans that the collector accepted.") {
      Double(exporter?.exportedSpans ?? 0)
    }
    registry.counter("trace_spans_dropped_total", help: "Spans that were dropped or refused.") {
      Double((exporter?.droppedSpans ?? 0) + (exporter?.rejectedSpans ?? 0))
    }
    let service = configuration.service
    instruments.buildInfo.child(shard: workers, service.version, service.revision, Version.swift).set(1)
  }
}
