import TestSupport

extension SeededGenerator {
  /// Whether something of that probability happens.
  mutating func happens(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }

  /// That many milliseconds, in nanoseconds.
  mutating func milliseconds(_ range: ClosedRange<UInt64>) -> UInt64 {
    UInt64.random(in: range, using: &self) * 1_000_000
  }
}
