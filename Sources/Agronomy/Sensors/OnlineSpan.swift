import Values

/// How long after its last sign of life a device counts as online: three times as long as it usually is silent, and a
/// quarter of an hour at least.
package struct OnlineSpan {
  /// The shortest, in seconds.
  package static let shortestSeconds: Int64 = 15 * 60
  /// How many times the median of its silences a device may be silent.
  package static let factor: Int64 = 3

  package let seconds: Int64

  package init(medianSilenceSeconds: Int64) {
    seconds = max(Self.shortestSeconds, Self.factor * medianSilenceSeconds)
  }

  /// Whether a device that was last heard of at `seen` still counts as online.
  package func isOnline(seen: Timestamp?, now: Timestamp) -> Bool {
    seen.map { $0.advanced(byMilliseconds: seconds * 1_000) >= now } ?? false
  }

  /// When a device that is not heard of again falls silent. Only time in which a server listened counts.
  package func silence(seen: Timestamp, listeningSince since: Timestamp) -> Timestamp {
    max(seen, since).advanced(byMilliseconds: seconds * 1_000)
  }
}
