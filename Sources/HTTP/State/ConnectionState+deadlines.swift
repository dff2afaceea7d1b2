/// The deadlines of a connection.
extension ConnectionState {
  /// Returns what to do about a deadline that has passed by `now`. While memory is short, clients that hold some have
  /// stricter ones.
  func overdue(_ now: UInt64, _ limits: HTTPLimits, isShort: Bool, isDraining: Bool) -> Action {
    if writing == .blocked {
      let isTooSlow = writeClock.isTooSlow(
        now, graceMilliseconds: limits.writeGraceMilliseconds, bytesPerSecond: limits.writeBytesPerSecond)
      return isTooSlow || isShort && isTooSlowForShortMemory(writeClock, now, limits) ? .abort : .none
    }
    switch reading {
    case .head:
      let patience = isShort ? min(limits.shortGraceMilliseconds, limits.headMilliseconds) : limits.headMilliseconds
      return hasPassed(patience, now) ? .refuseHead : .none
    case .idle:
      return hasPassed(isDraining ? limits.drainIdleMilliseconds : limits.idleMilliseconds, now) ? .closeIdle : .none
    case .body, .stream:
      let isTooSlow = bodyClock.isTooSlow(
        now, graceMilliseconds: limits.bodyGraceMilliseconds, bytesPerSecond: limits.bodyBytesPerSecond)
      return isTooSlow || isShort && isTooSlowForShortMemory(bodyClock, now, limits) ? .failBody(.late) : .none
    case .nothing where ending == .lingering:
      return hasPassed(limits.lingerMilliseconds, now) ? .close : .none
    case .request, .nothing:
      return .none
    }
  }

  /// Whether a transfer is too slow by the stricter grace and rate that hold while memory is short.
  private func isTooSlowForShortMemory(_ clock: TransferClock, _ now: UInt64, _ limits: HTTPLimits) -> Bool {
    clock.isTooSlow(now, graceMilliseconds: limits.shortGraceMilliseconds, bytesPerSecond: limits.shortBytesPerSecond)
  }

  private func hasPassed(_ milliseconds: Int, _ now: UInt64) -> Bool {
    now > since && now - since > UInt64(milliseconds) * 1_000_000
  }
}
