import Testing

@testable import Insights

@Suite("The circuit breaker")
struct CircuitBreakerTests {
  private static let open = CircuitBreaker.openNanoseconds

  @Test("opens after five failures in a row and lets one call try after thirty seconds")
  func course() {
    let circuit = CircuitBreaker()
    for failure in 1...4 {
      #expect(circuit.admits(at: 0))
      #expect(!circuit.note(isSuccess: false, at: UInt64(failure)))
    }
    #expect(circuit.note(isSuccess: false, at: 100))
    #expect(!circuit.admits(at: 100))
    #expect(!circuit.admits(at: 99 + Self.open))
    #expect(circuit.admits(at: 100 + Self.open))
    // Only one attempt at a time.
    #expect(!circuit.admits(at: 100 + Self.open))
    circuit.note(isSuccess: false, at: 200 + Self.open)
    #expect(!circuit.admits(at: 199 + 2 * Self.open))
    #expect(circuit.admits(at: 200 + 2 * Self.open))
    circuit.note(isSuccess: true, at: 201 + 2 * Self.open)
    #expect(circuit.admits(at: 202 + 2 * Self.open))
    #expect(circuit.admits(at: 202 + 2 * Self.open))
  }

  @Test("forgets failures with a success")
  func success() {
    let circuit = CircuitBreaker()
    for _ in 0..<20 {
      for _ in 0..<4 { circuit.note(isSuccess: false, at: 0) }
      circuit.note(isSuccess: true, at: 0)
    }
    #expect(circuit.admits(at: 0))
  }
}
