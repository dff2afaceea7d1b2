import HTTP
import Reactor
import Redis
import Web

/// Slows down the guessing of passwords: ten failures for an account from one network, fifty from a network, or a
/// hundred for an account from anywhere, within 15 minutes.
///
/// Attempts in flight count as failures, so that parallel ones cannot outrun the count; once they have ended, only a
/// wrong password does. While Redis is away each loop counts for itself.
final class LoginThrottle {
  static let failuresFromNetworkForAccount: Int64 = 10
  static let failuresFromNetwork: Int64 = 50
  /// Many networks may guess together. Higher than the others, since anyone with that many networks can lock the
  /// account.
  static let failuresForAccount: Int64 = 100
  static let windowSeconds: Int64 = 900
  /// How long an attempt counts as in flight when Redis never hears of its end, in seconds.
  static let attemptSeconds: Int64 = 30
  /// The most counters of a loop while Redis is away; at that many all are forgotten.
  static let maximumLocalCounters = 20_000

  private let redis: RedisClient
  private let loop: EventLoop
  private let prefix: String
  private var local: [String: Counter] = [:]

  private struct Counter {
    var failures: Int64 = 0
    var underWay: Int64 = 0
    var until: UInt64
  }

  private static let limits = [failuresFromNetworkForAccount, failuresFromNetwork, failuresForAccount]

  init(redis: RedisClient, loop: EventLoop, prefix: String) {
    self.redis = redis
    self.loop = loop
    self.prefix = prefix
  }

  /// Runs `body`, an attempt to sign in, and returns its result. Nil is a wrong password, which alone is a failure.
  ///
  /// Throws 429 after too many failures, even for the right password, and 503 when the attempts in flight could make
  /// them too many.
  func attempt<Result>(
    account: String, from address: PeerAddress, _ body: () async throws -> Result?
  ) async throws -> Result? {
    let network = address.network.text
    let names = ["both:\(network):\(account)", "network:\(network)", "account:\(account)"]
    let isShared = try await begin(names)
    do {
      let result = try await body()
      await end(names, isFailure: result == nil, isShared: isShared)
      return result
    } catch {
      await end(names, isFailure: false, isShared: isShared)
      throw error
    }
  }

  /// Forgets the failures for an account whose password is new, on this loop and in Redis; its failures from other
  /// networks go on counting for these.
  func forgive(account: String, from address: PeerAddress) async {
    let names = ["both:\(address.network.text):\(account)", "account:\(account)"]
    for name in names { local[name]?.failures = 0 }
    let keys = keys(names)
    _ = try? await redis.delete(keys[0], keys[1])
  }

  // MARK: Counting

  /// Counts an attempt as in flight. Returns whether Redis counted it; otherwise this loop did.
  private func begin(_ names: [String]) async throws -> Bool {
    let shared = try? await redis.evaluate(
      Self.beginning, keys: keys(names), Self.limits.map(RedisArgument.integer) + [.integer(Self.attemptSeconds)])
    let answer = shared?.integer ?? beginLocally(names)
    if answer == 0 { return shared?.integer != nil }
    guard answer > 0 else { throw Problem(Limit.signIns) }
    throw Problem(
      .tooManyFailures, "There were too many failed attempts to sign in. Try again later.",
      retryAfterSeconds: answer)
  }

  private func end(_ names: [String], isFailure: Bool, isShared: Bool) async {
    if isShared {
      let isCounted =
        (try? await redis.evaluate(
          Self.ending, keys: keys(names), [.integer(isFailure ? 1 : 0), .integer(Self.windowSeconds)])) != nil
      if isCounted || !isFailure { return }
    }
    for name in names {
      var counter = counter(name)
      if !isShared { counter.underWay = max(0, counter.underWay - 1) }
      if isFailure { counter.failures += 1 }
      local[name] = counter
    }
  }

  /// The counters of failures, then those of attempts under way.
  private func keys(_ names: [String]) -> [String] {
    names.map { "\(prefix)signin:failures:\($0)" } + names.map { "\(prefix)signin:attempts:\($0)" }
  }

  // Returns 0 when the attempt is counted, the seconds to wait after too many failures, and -1 when too many are in
  // flight; a refused attempt is not counted.
  private static let beginning = RedisScript(
    """
    local count, busy = #KEYS / 2, false
    for i = 1, count do
      local failures, limit = tonumber(redis.call('GET', KEYS[i]) or '0'), tonumber(ARGV[i])
      if failures >= limit then return math.max(1, redis.call('TTL', KEYS[i])) end
      busy = busy or failures + tonumber(redis.call('GET', KEYS[count + i]) or '0') >= limit
    end
    if busy then return -1 end
    for i = count + 1, #KEYS do
      redis.call('INCR', KEYS[i])
      redis.call('EXPIRE', KEYS[i], ARGV[count + 1])
    end
    return 0
    """)

  private static let ending = RedisScript(
    """
    local count = #KEYS / 2
    for i = 1, count do
      if ARGV[1] == '1' and redis.call('INCR', KEYS[i]) == 1 then redis.call('EXPIRE', KEYS[i], ARGV[2]) end
      if tonumber(redis.call('GET', KEYS[count + i]) or '0') > 1 then
        redis.call('DECR', KEYS[count + i])
      else
        redis.call('DEL', KEYS[count + i])
      end
    end
    return 1
    """)

  // MARK: While Redis is away

  private func beginLocally(_ names: [String]) -> Int64 {
    if local.count >= Self.maximumLocalCounters { local.removeAll() }
    let counters = names.map(counter)
    for (counter, limit) in zip(counters, Self.limits) where counter.failures >= limit {
      return Int64((counter.until - loop.now) / 1_000_000_000) + 1
    }
    if zip(counters, Self.limits).contains(where: { $0.failures + $0.underWay >= $1 }) { return -1 }
    for (name, var counter) in zip(names, counters) {
      counter.underWay += 1
      local[name] = counter
    }
    return 0
  }

  private func counter(_ name: String) -> Counter {
    if let counter = local[name], counter.until > loop.now { return counter }
    return Counter(until: loop.now + UInt64(Self.windowSeconds) * 1_000_000_000)
  }
}
