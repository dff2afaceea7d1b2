import Reactor
import Redis
import Values

/// One limit on one loop: token buckets in Redis that all replicas share. The loop leases a few tokens at a time for
/// each client and hands them out by itself.
///
/// A leased token has left the bucket, so that over any time all replicas together let through at most what the bucket
/// allows and the leases that were outstanding before: `RatePolicy.lease` for each loop. A lease is topped up when half
/// of it is left, so that a client within the limit never waits, and given back when it lies idle. While Redis is away,
/// each loop goes on by what it knows of the bucket.
package final class RateLimiter {
  /// The most clients that a loop knows. Beyond that it forgets those whose buckets are full again, or else all.
  static let maximumClients = 20_000
  /// How long a lease may lie idle, in nanoseconds.
  static let idleNanoseconds: UInt64 = 1_000_000_000
  /// The longest time for which Redis is not asked again after it had no token, in nanoseconds.
  static let refusalNanoseconds: UInt64 = 250_000_000
  /// How often clients whose buckets are full again are forgotten, in nanoseconds.
  private static let forgettingNanoseconds: UInt64 = 15_000_000_000
  /// The most leases that are given back at a time.
  static let returnsPerSweep = 256
  /// How often a request asks Redis for tokens: other requests may take those that it has asked for.
  private static let asksPerRequest = 4

  package let policy: RatePolicy
  private let lease: Int64
  private let redis: RedisClient
  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private let keyPrefix: String
  @exclusivity(unchecked) private var buckets: [RateClient: RateBucket] = [:]
  private var isSweeping = false
  private var forgotAt: UInt64 = 0

  init(_ policy: RatePolicy, redis: RedisClient, loop: EventLoop, prefix: String) {
    self.policy = policy
    lease = policy.lease
    self.redis = redis
    self.loop = loop
    keyPrefix = "\(prefix)rate:\(policy.name):"
  }

  /// Takes a token of a client if that can be decided at once; nil when Redis has to be asked.
  func takeAtOnce(_ client: RateClient) -> RateDecision? { takeAtOnce(from: bucket(of: client)) }

  /// Takes a token of a client; throws 429 when there is none.
  package func admit(_ client: RateClient) async throws {
    let decision = await take(client)
    if !decision.isAllowed { throw policy.refusal(decision) }
  }

  /// Takes a token of a client.
  func take(_ client: RateClient) async -> RateDecision {
    let bucket = bucket(of: client)
    bucket.waiting += 1
    defer { bucket.waiting -= 1 }
    for _ in 0..<Self.asksPerRequest {
      if let decision = takeAtOnce(from: bucket) { return decision }
      let hasAnswer = bucket.isAsking ? await bucket.answered() : await ask(for: bucket)
      if !hasAnswer { return takeKnown(from: bucket) }
    }
    return takeAtOnce(from: bucket) ?? bucket.decision(isAllowed: false)
  }

  /// Gives back a token that was taken for what turned out to cost none.
  package func giveBack(_ client: RateClient) async {
    let bucket = bucket(of: client)
    _ = bucket.known.take(-1, at: loop.now)
    bucket.emptyUntil = 0
    if redis.isConnected { _ = await exchange(-1, client) }
  }

  // MARK: On this loop

  private func bucket(of client: RateClient) -> RateBucket {
    if let bucket = buckets[client] { return bucket }
    if buckets.count >= Self.maximumClients { makeRoom() }
    let bucket = RateBucket(client, policy, at: loop.now)
    buckets[client] = bucket
    sweepLater()
    return bucket
  }

  private func takeAtOnce(from bucket: RateBucket) -> RateDecision? {
    let now = loop.now
    bucket.usedAt = now
    if bucket.inHand > 0 {
      bucket.inHand -= 1
      _ = bucket.known.take(at: now)
      let decision = bucket.decision(isAllowed: true)
      if bucket.inHand <= lease / 2, lease > 1 { fillUp(bucket) }
      return decision
    }
    if now < bucket.emptyUntil {
      // Takes nothing: refills it for the time that has passed.
      _ = bucket.known.take(0, at: now)
      return bucket.decision(isAllowed: false)
    }
    return redis.isConnected ? nil : takeKnown(from: bucket)
  }

  private func takeKnown(from bucket: RateBucket) -> RateDecision {
    let isAllowed = bucket.known.take(at: loop.now)
    return bucket.decision(isAllowed: isAllowed)
  }

  private func fillUp(_ bucket: RateBucket) {
    guard !bucket.isAsking, loop.now >= bucket.emptyUntil, redis.isConnected else { return }
    loop.spawn { [self] in _ = await ask(for: bucket) }
  }

  // MARK: With Redis

  /// Leases what is missing, or what waiting requests need; returns whether Redis has answered.
  private func ask(for bucket: RateBucket) async -> Bool {
    bucket.isAsking = true
    let wanted = max(1, lease - bucket.inHand, bucket.waiting)
    let answer = await exchange(wanted, bucket.client)
    if let answer {
      let now = loop.now
      bucket.inHand += answer.tokens
      bucket.known.set(answer.left + Double(bucket.inHand), at: now)
      if answer.tokens < wanted {
        let wait = bucket.known.secondsUntil(Double(bucket.inHand + 1)) * 1e9
        bucket.emptyUntil = now + UInt64(min(wait, Double(Self.refusalNanoseconds)))
      }
    }
    bucket.release(answer != nil)
    return answer != nil
  }

  // The time is Redis' own, so that replicas with different clocks agree. A bucket that is not used expires.
  private static let script = RedisScript(
    """
    local count, seconds, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local time = redis.call('TIME')
    local now = time[1] + time[2] / 1000000
    local bucket = redis.call('HMGET', KEYS[1], 't', 'u')
    local tokens = tonumber(bucket[1]) or count
    local updated = tonumber(bucket[2]) or now
    tokens = math.min(count, tokens + math.max(0, now - updated) * count / seconds)
    local granted = math.min(wanted, math.floor(tokens))
    tokens = math.min(count, tokens - granted)
    redis.call('HSET', KEYS[1], 't', tostring(tokens), 'u', string.format('%.6f', now))
    redis.call('PEXPIRE', KEYS[1], seconds * 1000)
    return {granted, tostring(tokens)}
    """)

  /// Takes `tokens` out of the shared bucket, or as many as there are; a negative number gives tokens back. Returns how
  /// many it took and how many are left; nil when Redis does not answer.
  private func exchange(_ tokens: Int64, _ client: RateClient) async -> (tokens: Int64, left: Double)? {
    let reply = try? await redis.evaluate(
      Self.script, keys: [keyPrefix + client.text],
      [.integer(policy.count), .integer(policy.seconds), .integer(tokens)])
    guard let parts = reply?.array, parts.count == 2, let granted = parts[0].integer,
      let left = parts[1].text.flatMap(Double.init)
    else { return nil }
    return (granted, left)
  }

  // MARK: What lies idle

  private func sweepLater() {
    if isSweeping { return }
    isSweeping = true
    // The timer holds the limiter: a weak reference would make every later retain of it a slow one.
    loop.schedule(afterNanoseconds: Self.idleNanoseconds) { [self] in
      isSweeping = false
      sweep()
      if !buckets.isEmpty { sweepLater() }
    }
  }

  /// Gives back idle leases, and forgets clients whose buckets are full again.
  private func sweep() {
    let now = loop.now
    if now >= forgotAt + Self.forgettingNanoseconds { forget() }
    guard redis.isConnected else { return }
    let idle = buckets.values.lazy.filter { $0.inHand > 0 && !$0.isAsking && now >= $0.usedAt + Self.idleNanoseconds }
    // Not lazily: what is in hand is about to change.
    let returned = Array(idle.prefix(Self.returnsPerSweep)).map { ($0, $0.inHand) }
    if returned.isEmpty { return }
    for (bucket, _) in returned { bucket.inHand = 0 }
    loop.spawn { [self] in for (bucket, tokens) in returned { _ = await exchange(-tokens, bucket.client) } }
  }

  private func forget() {
    let (now, seconds) = (loop.now, UInt64(policy.seconds))
    forgotAt = now
    buckets = buckets.filter { _, bucket in
      bucket.inHand > 0 || bucket.waiting > 0 || now < bucket.usedAt + seconds * 1_000_000_000
    }
  }

  private func makeRoom() {
    forget()
    if buckets.count >= Self.maximumClients { buckets.removeAll() }
  }
}
