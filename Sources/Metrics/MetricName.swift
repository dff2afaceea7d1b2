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

  /// What is wrong with the name of a metric of that kind, or nil when nothing is.
  public static func fault(in name: String, kind: MetricKind) -> String? {
    if let fault = NameCharacters.fault(in: name) { return fault }
    if name.hasSuffix("_total") != (kind == .counter) {
      return "\(name): counters, and only they, end in _total"
    }
    if name == "_total" || name.hasSuffix("__total") { return "\(name): nothing stands before _total" }
    if let suffix = seriesSuffixes.first(where: { name.hasSuffix($0) }) {
      return "\(name): \(suffix) is the suffix of a series that the format makes"
    }
    // A unit follows what is measured, hence the first word is none.
    for word in name.split(separator: "_").dropFirst().map(String.init) {
      if otherUnits.contains(word) { return "\(name): \(word) is not a base unit written out" }
      if typeNames.contains(word) { return "\(name): the type does not belong in the name" }
    }
    return nil
  }
}

/// The rules for names of labels.
public enum LabelName {
  private static let reserved: Set<String> = ["le", "quantile"]

  /// What is wrong with the name of a label, or nil when nothing is.
  public static func fault(in name: String) -> String? {
    if reserved.contains(name) { return "\(name): reserved for buckets and quantiles" }
    return NameCharacters.fault(in: name)
  }
}

/// What the names of metrics and labels have in common.
enum NameCharacters {
  static let maximumBytes = 128

  /// The fault in a name's characters: only snake_case in lower-case ASCII, without the reserved `__` and colons.
  static func fault(in name: String) -> String? {
    guard let first = name.utf8.first else { return "an empty name" }
    if name.utf8.count > maximumBytes { return "\(name): longer than \(maximumBytes) bytes" }
    if name.hasPrefix("__") { return "\(name): names beginning with __ are reserved" }
    let isNamed = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard isNamed else { return "\(name): only a-z, 0-9 and _ may stand in a name" }
    guard first < UInt8(ascii: "0") || first > UInt8(ascii: "9") else { return "\(name): begins with a digit" }
    return nil
  }
}
