/// Tells whether a peer moves a body too slowly: after a grace period it must keep up a rate, and at no time may it
/// stand still for longer than the grace period.
struct TransferClock {
  private var startedAt: UInt64
  private var movedAt: UInt64
  private var pausedAt: UInt64?
  private var bytes = 0

  /// Starts at a moment of the monotonic clock, in nanoseconds.
  init(_ now: UInt64) {
    startedAt = now
    movedAt = now
  }

  mutating func moved(_ count: Int, _ now: UInt64) {
    bytes += count
    movedAt = now
  }

  var isPaused: Bool { pausedAt != nil }

  /// Stands still until `resume`, for a pause that is not the peer's fault.
  mutating func pause(_ now: UInt64) { pausedAt = now }

  /// Goes on, if it was paused.
  mutating func resume(_ now: UInt64) {
    guard let pausedAt else { return }
    startedAt += now - pausedAt
    movedAt = now
    self.pausedAt = nil
  }

  func isTooSlow(_ now: UInt64, graceMilliseconds: Int, bytesPerSecond: Int) -> Bool {
    if isPaused { return false }
    let grace = UInt64(graceMilliseconds) * 1_000_000
    if now > movedAt + grace { return true }
    guard now > startedAt + grace else { return false }
    let seconds = Double(now - startedAt - grace) / 1e9
    return Double(bytes) < seconds * Double(bytesPerSecond)
  }
}
