/// What a family of metrics measures, as its TYPE line says.
public enum MetricKind: String, Sendable {
  /// A total that only rises, and starts at zero with the process.
  case counter
  /// A value that goes up and down.
  case gauge
  /// Observations counted by size in buckets, with their sum.
  case histogram
}
