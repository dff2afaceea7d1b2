/// The circuit breakers of the providers of language models.
package typealias ModelCircuits = [InsightProvider: CircuitBreaker]

extension ModelCircuits {
  /// New circuits, all of them closed.
  package static func closed() -> ModelCircuits { [.openAI: CircuitBreaker(), .anthropic: CircuitBreaker()] }
}
