import HTTP

/// Refuses clients that ask too often: anonymous ones by network, users and devices by themselves. Health and metrics
/// are exempt.
final class RateFilter {
  private let limits: RateLimits

  init(_ limits: RateLimits) { self.limits = limits }

  /// Takes a token, if that can be decided at once. Returns false when Redis has to be asked; throws 429 when there is
  /// no token. Runs after authentication, which tells whose bucket it is.
  func admitAtOnce(_ call: Call) throws -> Bool {
    guard let limiter = limiter(for: call) else { return true }
    guard let decision = limiter.takeAtOnce(call.rateClient) else { return false }
    try settle(call, limiter, decision)
    return true
  }

  /// Takes a token; throws 429 when there is none.
  func admit(_ call: Call) async throws {
    guard let limiter = limiter(for: call) else { return }
    try settle(call, limiter, await limiter.take(call.rateClient))
  }

  private func settle(_ call: Call, _ limiter: RateLimiter, _ decision: RateDecision) throws {
    call.rate = (limiter, decision)
    if !decision.isAllowed { throw limiter.policy.refusal(decision) }
  }

  /// Gives back the token that a call took from its network's bucket before it was known who makes it.
  func giveBack(_ call: Call) async {
    guard let (limiter, _) = call.rate else { return }
    call.rate = nil
    await limiter.giveBack(call.rateClient)
  }

  private func limiter(for call: Call) -> RateLimiter? {
    if call.endpoint?.isProbe == true { return nil }
    return switch call.identity {
    case .anonymous: limits.anonymous
    case .user: limits.user
    case .device: limits.device
    }
  }
}
