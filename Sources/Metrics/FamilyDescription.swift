/// The name, help, type and label names of a family: what is printed before any sample exists.
public struct FamilyDescription: Sendable {
  /// The most label names of one family.
  public static let maximumLabels = 16

  /// The name of the family as Prometheus stores it; a counter's has its `_total`.
  public let name: String
  /// What is measured, in one sentence; may have any characters, which are escaped when written.
  public let help: String
  /// What kind of value the family holds.
  public let kind: MetricKind
  /// The label names, in the order in which values are given.
  public let labels: [String]

  /// Describes a family; nothing is checked before it is registered.
  public init(_ name: String, help: String, kind: MetricKind, labels: [String] = []) {
    self.name = name
    self.help = help
    self.kind = kind
    self.labels = labels
  }

  /// The first fault in the names and the help, or nil when the family may be registered.
  public var fault: String? {
    if let fault = MetricName.fault(in: name, kind: kind) { return fault }
    if help.isEmpty { return "\(name): the help is empty" }
    if labels.count > Self.maximumLabels { return "\(name): more than \(Self.maximumLabels) labels" }
    for label in labels {
      if let fault = LabelName.fault(in: label) { return "\(name): \(fault)" }
    }
    if Set(labels).count != labels.count { return "\(name): a label stands twice" }
    return nil
  }

  /// The name on OpenMetrics' metadata lines, where a counter's family goes without `_total`.
  var openMetricsName: String { kind == .counter ? String(name.dropLast("_total".count)) : name }

  /// The base unit that the name ends in, which OpenMetrics prints on a line of its own.
  var unit: String? { MetricName.baseUnits.first { openMetricsName.hasSuffix("_" + $0) } }

  /// Every family and sample name that this family takes in either format.
  var claimedNames: [String] {
    switch kind {
    case .counter: [name, openMetricsName, openMetricsName + "_created"]
    case .gauge: [name]
    case .histogram: [name] + ["_bucket", "_count", "_sum", "_created"].map { name + $0 }
    }
  }
}
