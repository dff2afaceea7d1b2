import Reactor
import Redis
import Settings
import Values

/// How many requests a client may make: `count` per `seconds`, refilled evenly.
package struct RatePolicy: Equatable, Sendable {
  let name: String
  let count: Int64
  let seconds: Int64

  package init(_ name: String, _ rate: RequestRate) {
    self.name = name
    count = Int64(rate.count)
    seconds = Int64(rate.seconds)
  }

  /// The answer to who has no token left.
  package func refusal(_ decision: RateDecision) -> Problem {
    var problem = Problem(.tooManyRequests, "You may make \(count) requests in \(seconds) seconds.")
    problem.headers.append(("Retry-After", String(max(1, decision.resetSeconds))))
    return problem
  }
}

/// What became of one request's token.
package struct RateDecision: Equatable {
  package let isAllowed: Bool
  /// Tokens that are left.
  let remaining: Int64
  /// Seconds until there is a token again, or until the bucket is full.
  let resetSeconds: Int64
}

/// Token buckets in Redis, shared by all replicas; buckets of the loop's own while Redis is away.
package final class RateLimiter {
  /// The most local buckets; beyond that those that are full again are forgotten, then all.
  static let maximumLocalBuckets = 20_000

  private let redis: RedisClient
  private let loop: EventLoop
  private let prefix: String
  private var local: [String: TokenBucket] = [:]

  init(redis: RedisClient, loop: EventLoop, prefix: String) {
    self.redis = redis
    self.loop = loop
    self.prefix = prefix
  }

  /// Takes a token of `client`, who is named by network, user or device.
  package func take(_ policy: RatePolicy, client: String) async -> RateDecision { await take(1, policy, client) }

  /// Gives back a token that was taken for what turned out to cost none.
  package func giveBack(_ policy: RatePolicy, client: String) async { _ = await take(-1, policy, client) }

  private func take(_ tokens: Int64, _ policy: RatePolicy, _ client: String) async -> RateDecision {
    if redis.isConnected, let decision = await takeShared(tokens, policy, client) { return decision }
    return takeLocal(tokens, policy, client)
  }

  // Time is Redis' own, so that replicas with different clocks agree. A bucket that nobody uses ends by itself.
  private static let script = RedisScript(
    """
    local count, seconds, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local time = redis.call('TIME')
    local now = time[1] + time[2] / 1000000
    local bucket = redis.call('HMGET', KEYS[1], 't', 'u')
    local tokens = tonumber(bucket[1]) or count
    local updated = tonumber(bucket[2]) or now
    tokens = math.min(count, tokens + math.max(0, now - updated) * count / seconds)
    local allowed = 0
    if tokens >= wanted then tokens = math.min(count, tokens - wanted); allowed = 1 end
    redis.call('HSET', KEYS[1], 't', tostring(tokens), 'u', string.format('%.6f', now))
    redis.call('PEXPIRE', KEYS[1], seconds * 1000)
    local wait = allowed == 1 and (count - tokens) * seconds / count or (1 - tokens) * seconds / count
    return {allowed, math.floor(tokens), math.ceil(wait)}
    """)

  private func takeShared(_ tokens: Int64, _ policy: RatePolicy, _ client: String) async -> RateDecision? {
    let reply = try? await redis.evaluate(
      Self.script, keys: ["\(prefix)rate:\(policy.name):\(client)"],
      [.integer(policy.count), .integer(policy.seconds), .integer(tokens)])
    guard let numbers = reply?.array?.compactMap(\.integer), numbers.count == 3 else { return nil }
    return RateDecision(isAllowed: numbers[0] == 1, remaining: numbers[1], resetSeconds: numbers[2])
  }

  private func takeLocal(_ tokens: Int64, _ policy: RatePolicy, _ client: String) -> RateDecision {
    let key = "\(policy.name):\(client)"
    if local.count >= Self.maximumLocalBuckets { forget(longerThanSeconds: Double(policy.seconds)) }
    var bucket =
      local[key] ?? TokenBucket(capacity: Double(policy.count), seconds: Double(policy.seconds), at: loop.now)
    let isAllowed = bucket.take(Double(tokens), at: loop.now)
    local[key] = bucket
    let wait = isAllowed ? bucket.secondsUntilFull : bucket.secondsUntil(1)
    return RateDecision(
      isAllowed: isAllowed, remaining: Int64(bucket.tokens), resetSeconds: Int64(wait.rounded(.up)))
  }

  private func forget(longerThanSeconds seconds: Double) {
    local = local.filter { Double(loop.now - $0.value.askedAt) / 1e9 < seconds }
    if local.count >= Self.maximumLocalBuckets { local.removeAll() }
  }
}
