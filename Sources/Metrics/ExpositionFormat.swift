/// A text form in which Prometheus reads metrics.
public enum ExpositionFormat: Sendable, CaseIterable {
  /// Prometheus' text format 0.0.4.
  case text
  /// OpenMetrics 1.0, which has exemplars and an end mark.
  case openMetrics

  /// The value of the Content-Type field.
  public var contentType: String {
    switch self {
    case .text: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }

  /// The format that suits an Accept field best (RFC 9110 §12.5.1), or nil when it excludes both.
  ///
  /// Without the field it is the text format. OpenMetrics is chosen only if the field names it, with version 1.0.0 or
  /// without one, and gives it at least the weight of the text format.
  public static func negotiated(accept: String?) -> ExpositionFormat? {
    guard let accept, accept.utf8.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return .text }
    var text = Preference()
    var openMetrics = Preference()
    for range in MediaRange.list(accept) {
      let version = range.parameters["version"]
      switch (range.type, range.subtype) {
      case ("application", "openmetrics-text") where version == nil || version == "1.0.0":
        openMetrics.offer(range.thousandths, specificity: 3)
      case ("text", "plain"): text.offer(range.thousandths, specificity: version == "0.0.4" ? 4 : 3)
      case ("text", "*"): text.offer(range.thousandths, specificity: 2)
      case ("*", "*"): text.offer(range.thousandths, specificity: 1)
      default: continue
      }
    }
    if openMetrics.thousandths > 0, openMetrics.thousandths >= text.thousandths { return .openMetrics }
    return text.thousandths > 0 ? .text : nil
  }
}

/// The weight of a format, by the most specific range that covers it.
private struct Preference {
  private(set) var thousandths = 0
  private var specificity = 0

  mutating func offer(_ thousandths: Int, specificity: Int) {
    if specificity < self.specificity { return }
    self.thousandths = specificity == self.specificity ? max(thousandths, self.thousandths) : thousandths
    self.specificity = specificity
  }
}
