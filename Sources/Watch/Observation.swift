/// What is seen of a server at one look.
package struct Observation: Equatable, Sendable {
  /// Seconds since the watch began.
  package var seconds: Double
  /// Whether /readyz answered 200.
  package var isReady: Bool
  /// Its metrics; nil when they could not be read.
  package var tally: Tally?
  /// The metrics of the server it is compared with; nil when there is none, or it is gone.
  package var baseline: Tally?
  /// Own requests since the last look that got no answer at all.
  package var unanswered: Int
  /// Own requests since the last look that were answered, and those of them by 5xx: they are in `tally` as well.
  package var probes: Traffic

  package init(
    seconds: Double, isReady: Bool = true, tally: Tally?, baseline: Tally? = nil, unanswered: Int = 0,
    probes: Traffic = Traffic()
  ) {
    self.seconds = seconds
    self.isReady = isReady
    self.tally = tally
    self.baseline = baseline
    self.unanswered = unanswered
    self.probes = probes
  }
}
