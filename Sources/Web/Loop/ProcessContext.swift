import HTTP
import Metrics
import Outbound
import Reactor
import Secrets
import Settings
import Telemetry
import Values

/// What all loops of the process share: it never changes after the start, or is made for sharing.
package final class ProcessContext: Sendable {
  package let configuration: Configuration
  package let instruments: Instruments
  package let logs: LogSink
  package let passwords: PasswordPool
  /// Bounds the password checks of members, for each network.
  let passwordShares: ClientShares
  /// For questions to language models: when as many are under way as a client allows, further ones fail at once.
  package let outbound: OutboundClient
  /// For mail, which slow language models must not keep from being sent.
  package let mail: OutboundClient
  let identifiers = IdentifierSequence()
  package let clock = AgreedClock()
  package let eventStreams: ClientShares
  let longReads = ClientShares(maximum: LongReads.maximumOfClient)
  /// Nil when no collector is configured.
  package let exporter: SpanExporter?
  let trustedProxies: [AddressBlock]
  /// The memory of all loops' connections.
  package let memory: MemoryBudget
  /// Loops that serve requests.
  package let workers: Int
  /// When the process began, in nanoseconds of the monotonic clock.
  package let startedAt = Clock.monotonic()
  /// When the process began, by the calendar, read at the same time: two clocks read later would not agree to the
  /// millisecond.
  package let startedOn = Timestamp(unixMilliseconds: Clock.unixMilliseconds())
  /// The heartbeats of the loops that serve requests, so that any of them can tell that another is stuck.
  package let heartbeats: [Heartbeat]
  /// The mark in Postgres of commits that Redis was not told of, for the caches of all loops.
  package let commitMark = CommitMark()
  /// The changes of cache tags that this process knows of.
  let changeCounts = ChangeCounts()
  /// Which of those loops can reach Postgres.
  package let databaseReach: StoreReach
  /// Which of those loops can reach Redis.
  package let redisReach: StoreReach
  let replicaFreshness: ReplicaFreshness
  /// Spaces out the lines that say why a connection to Postgres failed.
  package let databaseFailures = LogInterval()

  /// `caller` is the loop that calls other servers; it serves no requests.
  package init(
    _ configuration: Configuration, workers: Int, logs: LogSink, instruments: Instruments, caller: EventLoop
  ) throws {
    self.configuration = configuration
    self.workers = workers
    heartbeats = (0..<workers).map { _ in Heartbeat() }
    databaseReach = StoreReach(loops: workers)
    redisReach = StoreReach(loops: workers)
    replicaFreshness = ReplicaFreshness(loops: workers, now: startedAt)
    self.logs = logs
    self.instruments = instruments
    let accounts = configuration.accounts
    passwords = try PasswordPool(
      threads: accounts.hashingParallelism, waiting: accounts.hashingQueueLength, cost: accounts.passwordCost)
    passwordShares = ClientShares(maximum: max(1, accounts.hashingQueueLength / PasswordPool.networksPart))
    let authorities = configuration.outbound.authorities
    outbound = OutboundClient(on: caller, authorities: authorities)
    mail = OutboundClient(on: caller, authorities: authorities)
    eventStreams = ClientShares(maximum: configuration.events.streamsPerClient)
    trustedProxies = configuration.listening.trustedProxies
    memory = MemoryBudget(bytes: configuration.http.memoryBytes)
    exporter = configuration.spanExporter.map { settings in
      SpanExporter(settings, resource: configuration.resource, logger: SharedLogger(logs)) {
        try OutboundClient.export($0, authorities: authorities, timeoutMilliseconds: settings.timeoutMilliseconds)
      }
    }
    registerReadings()
  }

  /// Registers the metrics that are read from their owners at each scrape, and those that never change.
  private func registerReadings() {
    let (registry, logs, exporter) = (instruments.registry, logs, exporter)
    registry.counter("log_lines_dropped_total", help: "Log lines dropped because the reader was too slow.") {
      Double(logs.droppedLines)
    }
    registry.counter("trace_spans_exported_total", help: "Spans that the collector accepted.") {
      Double(exporter?.exportedSpans ?? 0)
    }
    registry.counter("trace_spans_dropped_total", help: "Spans that were dropped, or that the collector refused.") {
      Double((exporter?.droppedSpans ?? 0) + (exporter?.rejectedSpans ?? 0))
    }
    if let limit = configuration.machine.memoryLimitBytes {
      registry.gauge("process_memory_limit_bytes", help: "The memory limit of the process' control group.") {
        Double(limit)
      }
    }
    registry.gauge("http_memory_bytes", help: "Memory that connections use for blocks, bodies and waiting answers.") {
      [memory] in Double(memory.usedBytes)
    }
    if configuration.database.replicaURL != nil {
      registry.gauge(
        "database_replica_lag_seconds",
        help: "How far the replica is behind the primary; beyond 5 s the server does not read from it."
      ) { [replicaFreshness] in replicaFreshness.lagSeconds(at: Clock.monotonic()) }
    }
    registry.gauge(
      "clock_correction_seconds",
      help: "Correction of this machine's clock towards the database's; 0 when they are close."
    ) { [clock] in Double(clock.correctionMilliseconds) / 1_000 }
    let service = configuration.service
    instruments.buildInfo.child(shard: workers, service.version, service.revision, Version.swift).set(1)
  }
}
