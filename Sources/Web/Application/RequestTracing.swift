import HTTP
import Metrics
import Reactor
import Settings
import Telemetry
import Values

/// Continues the caller's trace or begins one, and reports a span for each sampled request.
final class RequestTracing {
  // Invariant 1: the loop's context outlives it.
  private unowned(unsafe) let context: LoopContext
  private let sampler: Sampler
  private let spans: SpanQueue?
  private var generator = IDGenerator()
  /// Bounds the sampled traces that callers may continue, since anyone may send a `traceparent`.
  private var callersTraces: TokenBucket

  init(_ context: LoopContext) {
    self.context = context
    let tracing = context.configuration.tracing
    sampler = Sampler(ratio: tracing.sampledShare)
    callersTraces = TokenBucket(
      capacity: Double(tracing.callersTracesPerMinute), seconds: 60, at: context.loop.now)
    spans = context.spans
  }

  /// Continues the trace of `traceparent`. Without one a trace begins only if spans are exported, and never for a
  /// probe: asked every few seconds, they would drown the rest.
  func begin(_ call: Call, _ request: Request) {
    let hasParent = request.headerCount("traceparent") > 0
    guard hasParent || spans != nil else { return }
    var parent =
      request.withHeader("traceparent") { bytes in
        TraceContext(traceparent: bytes, tracestate: request.headerList("tracestate"))
      } ?? nil
    let isWanted = spans != nil && call.endpoint?.endpoint.isProbe != true
    guard parent != nil || isWanted else { return }
    if parent?.isSampled == true, !callersTraces.take(at: context.loop.now) { parent = parent?.unsampled }
    call.parentSpan = parent?.spanID
    call.trace = sampler.begin(parent: parent, using: &generator)
    if call.trace?.isSampled == true { call.startedUnixNanoseconds = Clock.unixNanoseconds() }
  }

  /// The exemplar of a sampled request, for its duration's bucket.
  func exemplar(_ call: Call) -> Exemplar? {
    guard let trace = call.trace, trace.isSampled else { return nil }
    return Exemplar(
      traceHigh: trace.traceID.high, traceLow: trace.traceID.low,
      unixMilliseconds: context.loop.unixMilliseconds)
  }

  /// Reports the server span of a sampled request.
  func finish(_ call: Call, _ summary: Finished) {
    guard let spans, let trace = call.trace, trace.isSampled else { return }
    var span = Span(
      "", kind: .server, context: trace, parentID: call.parentSpan,
      startUnixNanoseconds: call.startedUnixNanoseconds,
      endUnixNanoseconds: call.startedUnixNanoseconds + summary.durationNanoseconds)
    let server = call.request.header("Host").flatMap { ServiceURL.hostAndPort($0[...]) }
    span.describeHTTP(
      method: call.request.method == .other ? nil : call.request.method.name.description,
      route: call.endpoint?.endpoint.template, path: LogRedaction.path(call.request.path),
      statusCode: Int(summary.status.rawValue),
      clientAddress: call.clientAddress.text, userAgent: call.request.header("User-Agent"),
      serverAddress: server?.host, serverPort: (server?.port).map(Int.init))
    spans.add(span)
  }
}
