import Reactor
import Redis

/// Slows down the guessing of passwords: ten failures of an account, or fifty of an address, within 15 minutes.
///
/// An attempt is counted before the password is looked at, and taken back if it was right, so that parallel attempts
/// cannot outrun the count. While Redis is away each loop counts for itself.
final class LoginThrottle {
  static let failuresPerAccount: Int64 = 10
  static let failuresPerAddress: Int64 = 50
  static let windowSeconds: Int64 = 900
  /// The most counters of a loop while Redis is away; beyond that all are forgotten.
  static let maximumLocalCounters = 20_000

  private let redis: RedisClient
  private let loop: EventLoop
  private let prefix: String
  private var local: [String: (count: Int64, until: UInt64)] = [:]

  init(redis: RedisClient, loop: EventLoop, prefix: String) {
    self.redis = redis
    self.loop = loop
    self.prefix = prefix
  }

  /// An attempt that was counted.
  struct Attempt {
    fileprivate let keys: [String]
    fileprivate let isShared: Bool
  }

  /// Counts an attempt; throws 429 if there were too many failures, even for the right password.
  func begin(account: String, address: String) async throws -> Attempt {
    let keys = ["\(prefix)login:account:\(account)", "\(prefix)login:address:\(address)"]
    let limits = [Self.failuresPerAccount, Self.failuresPerAddress]
    let shared = try? await redis.evaluate(
      Self.script, keys: keys, [.integer(limits[0]), .integer(limits[1]), .integer(Self.windowSeconds)])
    let wait = shared?.integer ?? countLocally(keys, limits)
    guard wait > 0 else { return Attempt(keys: keys, isShared: shared != nil) }
    var problem = Problem(.tooManyFailures, "There were too many failed attempts to sign in. Try again later.")
    problem.headers.append(("Retry-After", String(wait)))
    throw problem
  }

  /// Takes an attempt back whose password was right.
  func succeed(_ attempt: Attempt) async {
    if attempt.isShared {
      _ = try? await redis.pipeline(attempt.keys.map { ["DECR", .text($0)] })
    } else {
      for key in attempt.keys { local[key]?.count -= 1 }
    }
  }

  // Gives 0 when the attempt is counted, else the seconds to wait; a refused attempt is not counted.
  private static let script = RedisScript(
    """
    for i, key in ipairs(KEYS) do
      if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i]) then
        return math.max(1, redis.call('TTL', key))
      end
    end
    for _, key in ipairs(KEYS) do
      if redis.call('INCR', key) == 1 then redis.call('EXPIRE', key, ARGV[3]) end
    end
    return 0
    """)

  private func countLocally(_ keys: [String], _ limits: [Int64]) -> Int64 {
    if local.count >= Self.maximumLocalCounters { local.removeAll() }
    for (key, limit) in zip(keys, limits) {
      guard let counter = local[key], counter.until > loop.now else { continue }
      if counter.count >= limit { return Int64((counter.until - loop.now) / 1_000_000_000) + 1 }
    }
    for key in keys {
      let current = local[key].flatMap { $0.until > loop.now ? $0 : nil }
      let fresh = (count: Int64(0), until: loop.now + UInt64(Self.windowSeconds) * 1_000_000_000)
      let counter = current ?? fresh
      local[key] = (counter.count + 1, counter.until)
    }
    return 0
  }
}
