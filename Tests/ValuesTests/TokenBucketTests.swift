import Testing
import Values

@Test("a token bucket gives out what it holds at once, and then as much as flows in")
func tokenBucket() {
  let second: UInt64 = 1_000_000_000
  var bucket = TokenBucket(capacity: 6, seconds: 3, at: 0)
  /// Takes one token `count` times; returns which attempts succeeded.
  func taken(_ count: Int, at now: UInt64) -> [Bool] { (0..<count).map { _ in bucket.take(at: now) } }
  let full = Array(repeating: true, count: 6) + [false]
  #expect(taken(7, at: 0) == full)
  #expect(bucket.secondsUntil(1) == 0.5 && bucket.secondsUntilFull == 3)
  #expect(taken(1, at: second / 4) == [false])
  #expect(taken(2, at: second / 2) == [true, false])
  // It never holds more than its capacity, however long it rests and however much is given back.
  _ = bucket.take(-4, at: 100 * second)
  #expect(taken(7, at: 100 * second) == full)
}
