import Glibc
import TestSupport

extension SeededGenerator {
  /// Draws from the normal distribution, by Box and Muller.
  package mutating func normal(_ deviation: Double) -> Double {
    let radius = sqrt(-2 * log(Double.random(in: Double.leastNonzeroMagnitude...1, using: &self)))
    return deviation * radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
  }
}
