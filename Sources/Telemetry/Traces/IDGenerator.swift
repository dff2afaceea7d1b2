/// Random numbers for one thread's trace and span ids: xoshiro256** (Blackman and Vigna, 2018), seeded by the system.
///
/// Fast and not secret: never for tokens or keys.
package struct IDGenerator: RandomNumberGenerator {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// Makes a generator with a random seed.
  package init() {
    var system = SystemRandomNumberGenerator()
    state = (system.next(), system.next(), system.next(), system.next() | 1)
  }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    let result = Self.rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = Self.rotate(state.3, 45)
    return result
  }

  /// A new trace id.
  package mutating func traceID() -> TraceID {
    while true { if let id = TraceID(high: next(), low: next()) { return id } }
  }

  /// A new span id.
  package mutating func spanID() -> SpanID {
    while true { if let id = SpanID(next()) { return id } }
  }

  private static func rotate(_ number: UInt64, _ places: UInt64) -> UInt64 {
    number << places | number >> (64 - places)
  }
}
