/// Spare the providers of language models, and those who would wait for them.
package typealias ModelCircuits = [InsightProvider: CircuitBreaker]

extension ModelCircuits {
  /// All closed.
  package static func closed() -> ModelCircuits { [.openAI: CircuitBreaker(), .anthropic: CircuitBreaker()] }
}
