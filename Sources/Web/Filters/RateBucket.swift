import Reactor
import Values

/// What a loop knows of one client's token bucket, and the tokens that it has leased from it.
final class RateBucket {
  let client: RateClient
  /// The tokens of the bucket and those in hand together, as far as the loop knows; all that counts while Redis is
  /// away.
  @exclusivity(unchecked) var known: TokenBucket
  /// Tokens that were leased and are not handed out yet.
  @exclusivity(unchecked) var inHand: Int64 = 0
  /// Until when the bucket is empty, as Redis has said; in nanoseconds of the monotonic clock.
  @exclusivity(unchecked) var emptyUntil: UInt64 = 0
  @exclusivity(unchecked) var usedAt: UInt64
  /// How many requests wait for a token.
  var waiting: Int64 = 0
  /// Whether Redis is being asked.
  var isAsking = false
  // Requests that wait for the same answer.
  private var listeners: [LoopContinuation<Bool>] = []

  init(_ client: RateClient, _ policy: RatePolicy, at now: UInt64) {
    self.client = client
    known = TokenBucket(capacity: Double(policy.count), seconds: Double(policy.seconds), at: now)
    usedAt = now
  }

  /// Waits until Redis has been asked; returns whether it has answered.
  func answered() async -> Bool { await withLoopContinuation { listeners.append($0) } }

  /// Resumes the requests that wait for the answer.
  func release(_ hasAnswer: Bool) {
    isAsking = false
    let released = listeners
    listeners = []
    for listener in released { listener.resume(returning: hasAnswer) }
  }

  /// The decision for a request that got a token, or none.
  func decision(isAllowed: Bool) -> RateDecision {
    let wait = isAllowed ? known.secondsUntilFull : known.secondsUntil(1)
    return RateDecision(
      isAllowed: isAllowed, remaining: isAllowed ? Int64(known.tokens) : 0, resetSeconds: Int64(wait.rounded(.up)))
  }
}
