/// The deadlines of a connection.
extension ConnectionState {
  /// Returns what to do about a deadline that has passed by `now`. While memory is short, clients that hold some have
  /// stricter ones.
  func overdue(_ now: UInt64, _ limits: HTTPLimits, isShort: Bool, isDraining: Bool) -> Action {
    if writing == .blocked {
      return isTooSlow(writeClock, now, limits.writeGraceMilliseconds, limits.writeBytesPerSecond, limits, isShort)
        ? .abort : .none
    }
    switch reading {
    case .head:
      let patience = isShort ? min(limits.shortGraceMilliseconds, limits.headMilliseconds) : limits.headMilliseconds
      return hasPassed(patience, now) ? .refuseHead : .none
    case .idle:
      return hasPassed(isDraining ? limits.drainIdleMilliseconds : limits.idleMilliseconds, now) ? .closeIdle : .none
    case .body, .stream:
      return isTooSlow(bodyClock, now, limits.bodyGraceMilliseconds, limits.bodyBytesPerSecond, limits, isShort)
        ? .failBody(.late) : .none
    case .nothing where ending == .lingering:
      return hasPassed(limits.lingerMilliseconds, now) ? .close : .none
    case .request, .nothing:
      return .none
    }
  }

  /// Whether a transfer is too slow by the usual grace and rate or, while memory is short, by stricter ones.
  private func isTooSlow(
    _ clock: TransferClock, _ now: UInt64, _ graceMilliseconds: Int, _ bytesPerSecond: Int, _ limits: HTTPLimits,
    _ isShort: Bool
  ) -> Bool {
    if clock.isTooSlow(now, graceMilliseconds: graceMilliseconds, bytesPerSecond: bytesPerSecond) { return true }
    return isShort
      && clock.isTooSlow(
        now, graceMilliseconds: limits.shortGraceMilliseconds, bytesPerSecond: limits.shortBytesPerSecond)
  }

  private func hasPassed(_ milliseconds: Int, _ now: UInt64) -> Bool {
    now > since && now - since > UInt64(milliseconds) * 1_000_000
  }
}
