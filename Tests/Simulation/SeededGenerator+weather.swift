import TestSupport

extension SeededGenerator {
  /// Draws whether something of this `probability` happens.
  mutating func happens(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }

  /// Draws a number of milliseconds from `range`, and returns it in nanoseconds.
  mutating func milliseconds(_ range: ClosedRange<UInt64>) -> UInt64 {
    UInt64.random(in: range, using: &self) * 1_000_000
  }
}
