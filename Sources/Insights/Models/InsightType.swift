/// What an insight is about. The raw value is part of the API and never changes its meaning.
package enum InsightType: String, CaseIterable, Sendable {
  /// Whether the soil needs water, and when.
  case watering
  /// Whether the coming night brings frost.
  case frost
  /// What a probe measures that it never did at this hour, and probes that fell silent.
  case anomaly
  /// The last seven days in a few sentences.
  case summary
}
