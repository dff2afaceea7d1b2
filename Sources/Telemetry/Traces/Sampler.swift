/// Decides at the head of a trace whether its spans are recorded (OpenTelemetry's ParentBased(TraceIdRatioBased)).
///
/// A caller's decision is kept. Without one the trace id decides, so that every service with the same ratio decides
/// alike.
package struct Sampler: Sendable {
  /// Trace ids whose low 63 bits are below it are sampled.
  private let bound: UInt64

  /// `ratio` is the share of traces to record, clamped to 0…1.
  package init(ratio: Double) {
    let whole: UInt64 = 1 << 63
    bound = ratio >= 1 ? whole : ratio > 0 ? UInt64(ratio * Double(whole)) : 0
  }

  /// Whether a trace that begins here is recorded.
  package func isSampled(_ traceID: TraceID) -> Bool { traceID.low >> 1 < bound }

  /// The context of a new span: the caller's trace continued, or a new one.
  package func begin(parent: TraceContext?, using generator: inout IDGenerator) -> TraceContext {
    if let parent { return parent.child(generator.spanID()) }
    let traceID = generator.traceID()
    return TraceContext(traceID: traceID, spanID: generator.spanID(), isSampled: isSampled(traceID))
  }
}
