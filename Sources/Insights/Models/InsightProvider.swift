/// Who words an insight.
package enum InsightProvider: String, CaseIterable, Sendable {
  /// The server itself.
  case rules
  case openAI = "openai"
  case anthropic
}
