import HTTP
import Settings

/// Refuses clients that ask too often: anonymous ones by network, users and devices by themselves. Health and metrics
/// are exempt.
final class RateFilter {
  // Invariant 1.
  private unowned(unsafe) let context: LoopContext

  init(_ context: LoopContext) { self.context = context }

  /// Whether there is a limit for a call.
  func concerns(_ call: Call) -> Bool { policy(for: call) != nil }

  /// Takes a token; throws 429 when there is none. Runs after authentication, which tells whose bucket it is.
  func admit(_ call: Call) async throws {
    guard let policy = policy(for: call) else { return }
    let decision = await context.rateLimiter.take(policy, client: call.client)
    call.rate = (policy, decision)
    if !decision.isAllowed { throw policy.refusal(decision) }
  }

  /// Gives back what was taken from the client's network, because the call turned out to be someone's.
  func giveBack(_ call: Call) async {
    guard let (policy, _) = call.rate else { return }
    call.rate = nil
    await context.rateLimiter.giveBack(policy, client: call.client)
  }

  /// The fields of the IETF's draft "RateLimit header fields for HTTP", version 9.
  func addFields(to fields: FieldWriter, _ policy: RatePolicy, _ decision: RateDecision) {
    fields.append("RateLimit-Policy", "\"\(policy.name)\";q=\(policy.count);w=\(policy.seconds)")
    fields.append("RateLimit", "\"\(policy.name)\";r=\(decision.remaining);t=\(decision.resetSeconds)")
  }

  private func policy(for call: Call) -> RatePolicy? {
    if call.endpoint?.endpoint.isProbe == true { return nil }
    let rates = context.configuration.rates
    return switch call.identity {
    case .anonymous: rates.anonymous.map { RatePolicy("anonymous", $0) }
    case .user: rates.user.map { RatePolicy("user", $0) }
    case .device: rates.device.map { RatePolicy("device", $0) }
    }
  }
}
