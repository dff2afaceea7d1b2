import Reactor
import Values

/// What a loop knows of one client's bucket, and the tokens of it that it has leased.
final class RateBucket {
  let client: RateClient
  /// What the bucket holds together with what is in hand, as far as the loop knows; all that counts while Redis is
  /// away.
  @exclusivity(unchecked) var known: TokenBucket
  /// Tokens that were leased and not handed out yet.
  @exclusivity(unchecked) var inHand: Int64 = 0
  /// Until when there is none, as Redis has said; nanoseconds of the monotonic clock.
  @exclusivity(unchecked) var emptyUntil: UInt64 = 0
  @exclusivity(unchecked) var usedAt: UInt64
  /// How many requests wait for a token.
  var waiting: Int64 = 0
  /// Whether Redis is being asked.
  var isAsking = false
  // Those who wait for the same answer.
  private var listeners: [LoopContinuation<Bool>] = []

  init(_ client: RateClient, _ policy: RatePolicy, at now: UInt64) {
    self.client = client
    known = TokenBucket(capacity: Double(policy.count), seconds: Double(policy.seconds), at: now)
    usedAt = now
  }

  /// Waits until Redis has been asked; gives whether it has answered.
  func answered() async -> Bool { await withLoopContinuation { listeners.append($0) } }

  /// Lets those go who wait for the answer.
  func release(_ hasAnswer: Bool) {
    isAsking = false
    let released = listeners
    listeners = []
    for listener in released { listener.resume(returning: hasAnswer) }
  }

  /// What becomes of a request that got a token, or none.
  func decision(isAllowed: Bool) -> RateDecision {
    let wait = isAllowed ? known.secondsUntilFull : known.secondsUntil(1)
    return RateDecision(
      isAllowed: isAllowed, remaining: isAllowed ? Int64(known.tokens) : 0, resetSeconds: Int64(wait.rounded(.up)))
  }
}
