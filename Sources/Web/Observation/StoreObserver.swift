import Postgres
import Reactor
import Redis
import Telemetry

/// Measures what one loop asks of the stores; within a sampled trace it also reports client spans.
final class StoreObserver: QueryObserver, RedisObserver {
  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private let meters: Meters
  private let spans: SpanQueue?
  private var generator = IDGenerator()

  init(loop: EventLoop, meters: Meters, spans: SpanQueue?) {
    self.loop = loop
    self.meters = meters
    self.spans = spans
  }

  func queryFinished(
    statement: Int, name: String, startedAt: UInt64, durationNanoseconds: UInt64, error: PostgresError?
  ) {
    meters.query(statement, name, seconds: Double(durationNanoseconds) / 1e9)
    report(.postgresql, name, durationNanoseconds, error.map { $0.sqlState ?? "\($0.kind)" })
  }

  func finished(command: String, durationNanoseconds: UInt64, error: RedisError?) {
    meters.command(command, seconds: Double(durationNanoseconds) / 1e9)
    report(.redis, command, durationNanoseconds, error.map { _ in "error" })
  }

  private func report(_ system: Span.Database, _ name: String, _ nanoseconds: UInt64, _ error: String?) {
    guard let spans, let trace = CurrentTrace.context else { return }
    let end = Clock.unixNanoseconds()
    var span = Span(
      name, kind: .client, context: trace.child(generator.spanID()), parentID: trace.spanID,
      startUnixNanoseconds: end - nanoseconds, endUnixNanoseconds: end)
    span.describeDatabase(system, operation: system == .redis ? name : nil, summary: name, error: error)
    spans.add(span)
  }
}
