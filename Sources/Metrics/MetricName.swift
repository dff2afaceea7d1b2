/// The rules for names of metrics: Prometheus' data model and naming advice, as `promtool check metrics` applies them.
public enum MetricName {
  /// Units that names may end in; everything is measured in these.
  static let baseUnits = [
    "seconds", "bytes", "celsius", "meters", "joules", "grams", "volts", "amperes", "ratio",
  ]
  private static let otherUnits: Set<String> = [
    "nanoseconds", "microseconds", "milliseconds", "minutes", "hours", "days", "weeks", "kilobytes", "megabytes",
    "gigabytes", "bits", "percent", "kelvin", "fahrenheit", "kilometers", "kilograms", "ns", "us", "ms", "s", "sec",
    "b", "kb", "mb", "gb", "m", "h", "d",
  ]
  private static let typeNames: Set<String> = ["counter", "gauge", "histogram", "summary", "untyped"]
  private static let seriesSuffixes = ["_bucket", "_count", "_sum", "_created"]

  /// What is wrong with the name of a metric of this kind, or nil when nothing is.
  public static func fault(in name: String, kind: MetricKind) -> String? {
    if let fault = NameCharacters.fault(in: name) { return fault }
    if name.hasSuffix("_total") != (kind == .counter) {
      return "\(name): counters, and only they, end in _total"
    }
    if name == "_total" || name.hasSuffix("__total") { return "\(name): nothing stands before _total" }
    if let suffix = seriesSuffixes.first(where: { name.hasSuffix($0) }) {
      return "\(name): \(suffix) is the suffix of a series that the format makes"
    }
    // A unit comes after what is measured, so the first word cannot be one.
    for word in name.split(separator: "_").dropFirst().map(String.init) {
      if otherUnits.contains(word) { return "\(name): \(word) is not a base unit written out" }
      if typeNames.contains(word) { return "\(name): the type does not belong in the name" }
    }
    return nil
  }
}
