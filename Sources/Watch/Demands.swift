/// What a watched server has to satisfy, and how it is watched.
package struct Demands: Equatable, Sendable {
  /// How long it is watched, in seconds.
  package var seconds = 600.0
  /// The pause between two looks, in seconds.
  package var pauseSeconds = 5.0
  /// The highest share of failed requests.
  package var maximumErrorRatio = 0.01
  /// The highest P95, in seconds.
  package var maximumP95 = 0.2
  /// The fewest requests that prove anything.
  package var minimumRequests = 50
  /// How many requests of its own the watch sends in a second.
  package var probesPerSecond = 2.0

  package init() {}

  /// How many times as much as before counts as worse.
  static let baselineFactor = 2.0
  /// Below this share of what is allowed a comparison does not count: twice next to nothing is next to nothing.
  static let harmlessShare = 0.5
  /// The fewest requests of a window; one with fewer goes on until the next look.
  static let windowRequests = 20.0

  /// What is wrong with a stretch of traffic, beside the baseline's; nil if nothing is. `subject` names its requests.
  func fault(of traffic: Traffic, beside baseline: Traffic?, subject: String = "the requests") -> String? {
    let ratio = traffic.errorRatio, p95 = traffic.p95 ?? 0
    if ratio > maximumErrorRatio {
      return "\(Wording.percent(ratio)) of \(subject) failed, \(Wording.percent(maximumErrorRatio)) may"
    }
    if p95 > maximumP95 {
      return "P95 was \(Wording.milliseconds(p95)), \(Wording.milliseconds(maximumP95)) is allowed"
    }
    guard let baseline else { return nil }
    if ratio > baseline.errorRatio * Self.baselineFactor, ratio > maximumErrorRatio * Self.harmlessShare {
      return "\(Wording.percent(ratio)) of \(subject) failed, \(Wording.percent(baseline.errorRatio)) did before"
    }
    if let before = baseline.p95, p95 > before * Self.baselineFactor, p95 > maximumP95 * Self.harmlessShare {
      return "P95 was \(Wording.milliseconds(p95)), it was \(Wording.milliseconds(before)) before"
    }
    return nil
  }
}
