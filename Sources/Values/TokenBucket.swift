/// How often something may happen: a number of times at once, refilled evenly over a time.
package struct TokenBucket: Sendable {
  private let capacity: Double
  private let tokensPerSecond: Double
  /// Tokens that are left.
  package private(set) var tokens: Double
  /// When it was last asked, in nanoseconds of the caller's clock.
  package private(set) var askedAt: UInt64

  /// Makes a full bucket of `capacity` tokens, which takes `seconds` to fill.
  package init(capacity: Double, seconds: Double, at now: UInt64) {
    self.capacity = capacity
    tokensPerSecond = capacity / seconds
    tokens = capacity
    askedAt = now
  }

  /// Takes `count` tokens if there are as many, and returns whether it did; a negative count gives tokens back.
  package mutating func take(_ count: Double = 1, at now: UInt64) -> Bool {
    tokens = min(capacity, tokens + Double(now - askedAt) / 1e9 * tokensPerSecond)
    askedAt = now
    guard tokens >= count else { return false }
    tokens = min(capacity, tokens - count)
    return true
  }

  /// Sets the tokens to what is known from elsewhere, as of now.
  package mutating func set(_ tokens: Double, at now: UInt64) {
    self.tokens = min(capacity, tokens)
    askedAt = now
  }

  /// How long it takes until there are `wanted` tokens, in seconds.
  package func secondsUntil(_ wanted: Double) -> Double { max(0, wanted - tokens) / tokensPerSecond }

  /// How long it takes until it is full, in seconds.
  package var secondsUntilFull: Double { secondsUntil(capacity) }
}
