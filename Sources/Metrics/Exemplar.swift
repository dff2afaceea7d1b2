/// A trace that shows what an observation in a histogram's bucket was like; OpenMetrics prints it beside the bucket.
public struct Exemplar: Sendable, Equatable {
  /// The first eight bytes of the W3C trace id, as a big-endian number.
  public let traceHigh: UInt64
  /// The last eight bytes of the W3C trace id, as a big-endian number.
  public let traceLow: UInt64
  /// When it was observed, in milliseconds since 1970 UTC.
  public let unixMilliseconds: Int64

  /// Names a sampled trace.
  public init(traceHigh: UInt64, traceLow: UInt64, unixMilliseconds: Int64) {
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.unixMilliseconds = unixMilliseconds
  }
}
